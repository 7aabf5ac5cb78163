# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What every classifier shares: its number of classes, its L2, its start at the prior."""

import numpy as np
import tensorflow as tf

keras = tf.keras


def log_odds(probability):
  """`ln p − ln(1 − p)`, for p kept away from 0 and 1."""
  p = np.clip(np.asarray(probability, np.float64), 1e-7, 1.0 - 1e-3)
  return (np.log(p) - np.log1p(-p)).astype(np.float32)


class Classifier(keras.layers.Layer):
  """Base of the heads; a subclass defines `build`, `call` and `start_from_prior`.

  A head that learns from labels in other ways than through the label loss says so:

  * `uses_labels`: in training its `call` takes `labels`, (batch_size, num_classes) bool.
  * `needs_label_sets`: it must see `LabelSets` before training.
  * The intermediate `training_loss`, (batch_size,), which it may return in training,
    takes the place of the label loss: the negative log likelihood of a video's labels
    under a model that is no product over classes.

  * `inference_hparams`: names of its hyperparameters that change nothing but what a
    trained head does at inference. `--hparams` of the other commands may change them.

  Args:
    num_classes: C.
    l2_penalty: s in the regularisation `s · Σ w² / 2` over the weights (never the
      biases), as `slim.l2_regularizer` counts it.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    Scores in [0, 1], (batch_size, num_classes), always float32: a score near 0 or 1
    has too few bits in half precision for the loss and the ranking.
  """

  uses_labels = False
  needs_label_sets = False
  inference_hparams = ()

  def __init__(self, num_classes, l2_penalty=1e-8, **kwargs):
    super().__init__(**kwargs)
    self.num_classes, self.l2_penalty = num_classes, l2_penalty

  def dense(self, units, dim, name, use_bias=True):
    """A built `Dense` layer with this classifier's L2 penalty on its kernel."""
    layer = keras.layers.Dense(
        units, use_bias=use_bias, name=name,
        # Keras counts l2 · Σ w², the starter code s · Σ w² / 2.
        kernel_regularizer=keras.regularizers.L2(self.l2_penalty / 2))
    layer.build((None, dim))
    return layer

  def start_from_prior(self, prior):
    """Sets the biases so that an uninformative input scores the class prior.

    Args:
      prior: (num_classes,) share of the videos that have each label.
    """
    # A base class: each head knows where its biases are.
    raise NotImplementedError(f"{type(self).__name__} must define start_from_prior.")

  def start_from_label_sets(self, label_sets):
    """Learns from the label sets of many videos, before training; here: nothing.

    Args:
      label_sets: `LabelSets`.
    """

  def get_config(self):
    return {**super().get_config(), "num_classes": self.num_classes,
            "l2_penalty": self.l2_penalty}
