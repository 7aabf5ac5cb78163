# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The base of the classifiers: number of classes, L2 penalty, start at the prior."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import numerics
from yt8m.core import types
from yt8m.models.layers import base

keras = tf.keras


def prior_log_odds(prior: np.ndarray) -> np.ndarray:
  """Returns the log-odds of a class prior, kept away from 0 and 1, in float32."""
  prior = np.asarray(prior, np.float64)
  return numerics.logit(prior, 1e-7, upper_epsilon=1e-3).astype(np.float32)


@keras.utils.register_keras_serializable(package="yt8m")
class L2Penalty(keras.regularizers.Regularizer):
  """Penalty `s · Σ w² / 2` of a weight, as `slim.l2_regularizer` counts it.

  `keras.regularizers.L2` counts s · Σ w², and squares the weights in an array of its own.

  Args:
    scale: Factor s.
  """

  def __init__(self, scale: float):
    self.scale = scale

  def __call__(self, weight: Any) -> tf.Tensor:
    return self.scale * tf.nn.l2_loss(tf.convert_to_tensor(weight))

  def get_config(self) -> dict[str, Any]:
    return {"scale": self.scale}


class Classifier(base.Layer):
  """Base of the classifiers; a subclass defines `build` and `call`.

  A classifier that learns from labels in other ways than through the label loss says so
  in these attributes:

  * `uses_labels`: In training, `call` takes `labels`, (batch_size, num_classes) bool.
  * `needs_label_sets`: The classifier must receive label sets before training.
  * `needs_features`: The classifier solves for its weights on the inputs and labels of
    all videos, before training.

  In training, `call` may return the intermediate `training_loss`, (batch_size,). It
  replaces the label loss: the negative log-likelihood of the labels of each video under
  a model that is not a product over classes.

  `inference_hparams` names the hyperparameters that only change what a trained
  classifier does at inference. Other commands than training may change them
  (`--hparams`).

  Args:
    num_classes: Number of classes, C.
    l2_penalty: Factor s of the regularisation `s · Σ w² / 2` over the weights, without
      the biases, as `slim.l2_regularizer` counts it.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    Scores in [0, 1], (batch_size, num_classes). They are float32 under every policy:
    half precision has too few bits near 0 and 1 for the loss and the ranking.
  """

  uses_labels: bool = False
  needs_label_sets: bool = False
  needs_features: bool = False
  inference_hparams: tuple[str, ...] = ()

  def __init__(self, num_classes: int, l2_penalty: float = 1e-8, **kwargs: Any):
    super().__init__(**kwargs)
    self.num_classes, self.l2_penalty = num_classes, l2_penalty

  def dense(self, units: int, dim: int, name: str, **arguments: Any) -> Any:
    """Returns a built `Dense` layer with the L2 penalty on its kernel."""
    layer = keras.layers.Dense(units, name=name, **arguments,
                               kernel_regularizer=L2Penalty(self.l2_penalty))
    layer.build((None, dim))
    return layer

  def start_from_prior(self, prior: np.ndarray) -> None:
    """Sets the biases so that an uninformative input scores the class prior.

    The base does nothing.

    Args:
      prior: Share of the videos that have each label, (num_classes,).
    """

  def lacks_label_sets(self) -> bool:
    """Whether `needs_label_sets` holds and the classifier has received none yet."""
    return False

  def start_from_label_sets(self, label_sets: Any, pretrain: Callable) -> None:
    """Learns from the label sets of many videos, before training. The base does nothing.

    Args:
      label_sets: `LabelSets` of the videos.
      pretrain: Function that trains a `LabelNetwork` on these label sets, from
        `(num_classes, units, num_epochs, seed)` to its weights. Training passes
        `yt8m.training.label_start`.
    """

  def start_from_features(self, videos: Callable[[], Iterable[types.LabeledInputs]]
                          ) -> None:
    """Solves for weights on all videos, before training. The base does nothing.

    Args:
      videos: Function that starts a pass over the training videos: batches of the input
        of the classifier, (batch_size, dim), and of labels, (batch_size, num_classes).
    """
