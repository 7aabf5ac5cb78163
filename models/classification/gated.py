# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Gates on the scores of any other classifier."""

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import wrapper
from yt8m.models.layers import gating

keras = tf.keras

CONTEXTS = ("scores", "input")


@registries.CLASSIFIERS.register("gated")
@keras.utils.register_keras_serializable(package="yt8m")
class Gated(wrapper.Wrapper):
  """Lets the scores of all classes confirm or suppress one another.

      s = head(x),   p = s ⊙ σ(BN(W s)),   or p = s ⊙ σ(BN(W x))

  Args:
    head: the classifier whose scores are gated, a name or `{"name": …, **hparams}`.
    context: what the gates look at: `"scores"` or `"input"`.
    remove_diagonal: whether a score has no say in its own gate.
    batch_norm_decay: of the moving averages.
    Others, and shapes: see `Classifier`; `l2_penalty` is the head's.

  Raises:
    ValueError: unknown `context`, or `remove_diagonal` with the context `"input"`.

  Reference: Miech et al. 2017 (arXiv:1706.06905), section 3.3; `MoeModel` of its code,
  WILLOW (`moe_prob_gating`, `moe_prob_gating_input`, `gating_remove_diag`).
  """

  changes_scores = True

  def __init__(self, num_classes, head="moe", context="scores", remove_diagonal=False,
               batch_norm_decay=0.999, l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, head, l2_penalty, **kwargs)
    if context not in CONTEXTS:
      raise ValueError(f"Unknown context {context!r}. Valid: {', '.join(CONTEXTS)} "
                       "(--hparams).")
    if remove_diagonal and context == "input":
      raise ValueError("remove_diagonal needs the context 'scores': an input value is "
                       "no score that could have a say in its own gate (--hparams).")
    self.context, self.remove_diagonal = context, remove_diagonal
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape):
    self.head.build(input_shape)
    self.gate = gating.ContextGating(
        remove_diagonal=self.remove_diagonal, batch_norm_decay=self.batch_norm_decay,
        dtype="float32", name="gate")  # like the scores
    self.gate.build((None, self.num_classes))
    self.input_size = input_shape[-1]
    self.built = True

  def call(self, x, labels=None, training=False):
    scores, intermediates = self.score(x, labels)
    context = scores if self.context == "scores" else tf.cast(x, tf.float32)
    scores = self.gate(scores, context=context, training=training)
    return (scores, intermediates) if intermediates else scores

  def start_from_prior(self, prior):
    # Gates start half open, as without a prior, unless the head would then have to
    # score more than it can.
    openness = np.maximum(0.5, np.asarray(prior, np.float64) ** 0.25)
    scores = prior / openness
    self.head.start_from_prior(scores)
    self.gate.start_at(
        openness, scores if self.context == "scores" else np.zeros(self.input_size))

  def get_config(self):
    return {**super().get_config(), "context": self.context,
            "remove_diagonal": self.remove_diagonal,
            "batch_norm_decay": self.batch_norm_decay}
