# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Classifiers around another classifier: gated scores, and a hidden layer before it."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.classification import classifier
from yt8m.models.layers import base
from yt8m.models.layers import gated_dense
from yt8m.models.layers import gating as gatings

keras = tf.keras

CONTEXTS = ("scores", "input")


class Wrapper(classifier.Classifier):
  """Base of the classifiers that change the input or the output of a head.

  Args:
    num_classes: Number of classes, C.
    head: Config of the wrapped classifier, a name or `{"name": …, **hparams}`.
    l2_penalty: Factor of the L2 penalty of the head, unless its config sets one.
  """

  changes_scores = False  # Whether the scores differ from those of the head.

  def __init__(self, num_classes: int, head: types.OptionConfig,
               l2_penalty: float = 1e-8, **kwargs: Any):
    super().__init__(num_classes, l2_penalty, **kwargs)
    config = {"l2_penalty": l2_penalty, **registries.normalise_config(head)}
    self.head = registries.build_option(
        registries.CLASSIFIERS, config, num_classes=num_classes)
    self.uses_labels = self.uses_labels or self.head.uses_labels
    self.needs_label_sets = self.head.needs_label_sets
    self.needs_features = self.head.needs_features

  def score(self, x: tf.Tensor, labels: tf.Tensor | None = None) -> types.Outputs:
    """Returns the scores of the head and its intermediates."""
    arguments = {"labels": labels} if self.head.uses_labels else {}
    scores, intermediates = registries.split_intermediates(self.head(x, **arguments))
    if self.changes_scores and "training_loss" in intermediates:
      # The loss of the head ignores the change, so the label loss is added to it.
      intermediates = dict(intermediates)
      intermediates["training_loss_head"] = intermediates.pop("training_loss")
    return scores, intermediates

  def start_from_prior(self, prior: np.ndarray) -> None:
    self.head.start_from_prior(prior)

  def lacks_label_sets(self) -> bool:
    return self.head.lacks_label_sets()

  def start_from_label_sets(self, label_sets: Any, pretrain: Callable) -> None:
    self.head.start_from_label_sets(label_sets, pretrain)

  def start_from_features(self, videos: Callable[[], Iterable[types.LabeledInputs]]
                          ) -> None:
    self.head.start_from_features(
        lambda: ((self.head_input(x), labels) for x, labels in videos()))

  def head_input(self, x: tf.Tensor) -> tf.Tensor:
    """Returns what the head reads at inference: x, unless a subclass changes it."""
    return x


@registries.CLASSIFIERS.register("gated")
class Gated(Wrapper):
  """Gates the scores of a head, so that classes confirm or suppress one another.

      s = head(x),   p = s ⊙ σ(BN(W s)),   or p = s ⊙ σ(BN(W x))

  Args:
    num_classes: Number of classes, C.
    head: Config of the classifier whose scores are gated.
    context: Input of the gates, "scores" or "input".
    remove_diagonal: Whether the gate of a score ignores the score itself.
    batch_norm_decay: Decay of the moving averages.
    l2_penalty: Factor of the L2 penalty of the head. Shapes: see `Classifier`.

  Raises:
    ValueError: `context` is unknown, or `remove_diagonal` is given with the context
      "input".

  Reference: Miech et al. 2017 (arXiv:1706.06905), section 3.3; `MoeModel` of its code,
  WILLOW (`moe_prob_gating`, `moe_prob_gating_input`, `gating_remove_diag`).
  """

  changes_scores = True

  def __init__(self, num_classes: int, head: types.OptionConfig = "moe",
               context: str = "scores", remove_diagonal: bool = False,
               batch_norm_decay: float = 0.999, l2_penalty: float = 1e-8, **kwargs: Any):
    super().__init__(num_classes, head, l2_penalty, **kwargs)
    if context not in CONTEXTS:
      raise registry.unknown("context", context, CONTEXTS, "Set it with --hparams.")
    if remove_diagonal and context == "input":
      raise ValueError("remove_diagonal needs the context 'scores': with the context "
                       "'input' no value of the gate's input is its score (--hparams).")
    self.context, self.remove_diagonal = context, remove_diagonal
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape: Any) -> None:
    self.head.build(input_shape)
    self.gate = base.built(gatings.ContextGating(
        remove_diagonal=self.remove_diagonal, batch_norm_decay=self.batch_norm_decay,
        dtype="float32", name="gate"), None, self.num_classes)
    self.input_size = input_shape[-1]

  def call(self, x: tf.Tensor, labels: tf.Tensor | None = None,
           training: bool = False) -> Any:
    scores, intermediates = self.score(x, labels)
    context = scores if self.context == "scores" else tf.cast(x, tf.float32)
    scores = self.gate(scores, context=context, training=training)
    return (scores, intermediates) if intermediates else scores

  def start_from_prior(self, prior: np.ndarray) -> None:
    # The gates start half open, as without a prior, unless the head would then have to
    # score more than it can.
    openness = np.maximum(0.5, np.asarray(prior, np.float64) ** 0.25)
    scores = prior / openness
    self.head.start_from_prior(scores)
    self.gate.start_at(
        openness, scores if self.context == "scores" else np.zeros(self.input_size))


@registries.CLASSIFIERS.register("hidden")
class Hidden(Wrapper):
  """Puts a non-linear layer with dropout before a head.

      h = dropout(gate(φ(W dropout(x) + b))),   p = head(h)
      with batch normalisation BN(W dropout(x)) instead of W dropout(x) + b

  All classes share this layer. It helps most where many classes have few videos. After
  a late fusion of pooled modalities it is the dense part of the published NetVLAD and
  NeXtVLAD models.

  Args:
    num_classes: Number of classes, C.
    units: Width of the hidden layer.
    head: Config of the classifier behind it.
    activation: Keras activation φ; "linear" for none.
    input_dropout: Share of the input values dropped in training.
    dropout: Share of the hidden values dropped in training.
    use_batch_norm: Whether W x is normalised instead of having a bias.
    gating: Gate of the hidden values, "none", "context" or "squeeze".
    gating_reduction: Reduction of the "squeeze" gate.
    batch_norm_decay: Decay of the moving averages.
    l2_penalty: Factor of the L2 penalty of the head. Shapes: see `Classifier`.
    remove_diagonal: Whether the context gate of a value ignores the value itself.
  """

  def __init__(self, num_classes: int, units: int = 2048,
               head: types.OptionConfig = "logistic", activation: str = "relu",
               *, input_dropout: float = 0.0, dropout: float = 0.5,
               use_batch_norm: bool = False, gating: str = "none",
               gating_reduction: int = 8, batch_norm_decay: float = 0.999,
               l2_penalty: float = 1e-8, remove_diagonal: bool = False, **kwargs: Any):
    super().__init__(num_classes, head, l2_penalty, **kwargs)
    self.units, self.activation = units, activation
    self.input_dropout, self.dropout = input_dropout, dropout
    self.use_batch_norm, self.batch_norm_decay = use_batch_norm, batch_norm_decay
    self.gating, self.gating_reduction = gating, gating_reduction
    self.remove_diagonal = remove_diagonal
    self.hidden = gated_dense.GatedDense(
        units, activation, input_dropout, use_batch_norm=use_batch_norm, gating=gating,
        gating_reduction=gating_reduction, batch_norm_decay=batch_norm_decay,
        remove_diagonal=remove_diagonal, name="hidden")

  def build(self, input_shape: Any) -> None:
    self.hidden.build((None, input_shape[-1]))
    self.drop_hidden = keras.layers.Dropout(self.dropout)
    self.head.build((None, self.units))

  def call(self, x: tf.Tensor, labels: tf.Tensor | None = None,
           training: bool = False) -> types.Outputs:
    x = self.hidden(x, training=training)
    return self.score(self.drop_hidden(x, training=training), labels)

  def head_input(self, x: tf.Tensor) -> tf.Tensor:
    return self.hidden(x)
