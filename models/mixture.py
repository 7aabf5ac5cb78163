# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Several branches trained as one model, each also learning from their mixture."""

from typing import Any

import tensorflow as tf

from yt8m.core import types
from yt8m.models import branch as branches
from yt8m.models.layers import base
from yt8m.models.layers import batch_norm
from yt8m.models.layers import log_odds
from yt8m.models.layers import masking

keras = tf.keras

# Each is a model of its own, and takes seconds to build.
_MOST_BRANCHES = 1000

class Mixture(base.Layer):
  """Mixes the log-odds of several branches by weights that depend on the video.

      w = softmax(W BN(x̄) + b)                       x̄: mean frame of all modalities
      z_n = logit(p_n),   z = Σ_n w_n z_n,   p = σ(z)
      penalty = λ Σ_n KL(softmax(z / τ) ‖ softmax(z_n / τ)), mean over the batch

  The penalty applies in training only. It distils the mixture into every branch.

  Args:
    num_branches: Number of branches, at least 2.
    branch: Arguments of each `Branch`.
    temperature: Temperature of the penalty, τ.
    distillation: Weight of the penalty, λ.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    modalities: List of (batch_size, num_frames, dim_m), or of (batch_size, dim_m).
    frame_mask: (batch_size, num_frames), bool; None for video-level features.
    labels: (batch_size, num_classes), bool; None except in training.

  Returns:
    Scores (batch_size, num_classes), and the intermediates `mixture_weights`
    (batch_size, branches), `branch_predictions` (batch_size, branches, num_classes),
    and those of the branches, each with the number of its branch appended.

  Raises:
    ValueError: `num_branches` is not an integer from 2 to 1,000.

  Reference: Lin et al. 2018 (arXiv:1811.05014), section 3.4; `MixNeXtVladModel` of the
  authors' code, where x̄ also included padded frames.
  """

  def __init__(self, num_branches: int, branch: dict[str, Any], temperature: float = 3.0,
               distillation: float = 9.0, batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(autocast=False, **kwargs)
    if not isinstance(num_branches, int) or not 2 <= num_branches <= _MOST_BRANCHES:
      raise ValueError(f"The mixture has branches={num_branches!r}, but needs 2 to "
                       f"{_MOST_BRANCHES:,} "
                       '(--hparams=\'{"mixture": {"branches": 3}}\').')
    self.num_branches, self.branch = num_branches, branch
    self.branches = [branches.Branch(**branch) for _ in range(num_branches)]
    self.temperature, self.distillation = temperature, distillation
    self.batch_norm_decay = batch_norm_decay

  def build(self, modalities_shape: Any, *other_shapes: Any) -> None:
    dim = sum(shape[-1] for shape in modalities_shape)
    norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
    self.norm = base.built(norm, None, dim)
    # float32, like the scores that it weighs.
    self.weigh = base.built(keras.layers.Dense(
        self.num_branches, dtype="float32", name="weigh",
        kernel_initializer=keras.initializers.VarianceScaling(scale=2.0)), None, dim)

  def call(self, modalities: list[tf.Tensor], frame_mask: tf.Tensor | None = None,
           labels: tf.Tensor | None = None, training: bool = False) -> types.Outputs:
    x = tf.concat([tf.cast(m, tf.float32) for m in modalities], axis=-1)
    if len(x.shape) == 3:
      x = masking.masked_mean(x, frame_mask)
    weights = tf.nn.softmax(self.weigh(self.norm(x, training=training)))
    predictions, intermediates = [], {}
    for number, branch in enumerate(self.branches):
      p, more = branch(modalities, frame_mask=frame_mask, labels=labels)
      predictions.append(p)
      intermediates.update({f"{key}_{number}": v for key, v in more.items()})
    predictions = tf.stack(predictions, axis=1)
    branch_logits = log_odds.logit(predictions)
    logits = tf.reduce_sum(tf.expand_dims(weights, -1) * branch_logits, axis=1)
    if training:
      self.add_loss(self._penalty(logits[:, tf.newaxis], branch_logits))
    return tf.sigmoid(logits), {
        "mixture_weights": weights, "branch_predictions": predictions, **intermediates}

  def _penalty(self, logits: tf.Tensor, branch_logits: tf.Tensor) -> tf.Tensor:
    mixture = tf.nn.log_softmax(logits / self.temperature)
    branch = tf.nn.log_softmax(branch_logits / self.temperature)
    divergence = tf.reduce_sum(tf.exp(mixture) * (mixture - branch), axis=[1, 2])
    # The penalties of the replicas are averaged later, but their shares of the batch
    # may differ.
    rows, replicas = batch_norm.sum_over_replicas(
        [tf.cast(tf.size(divergence), tf.float32), tf.ones([])])
    penalty = self.distillation * tf.reduce_sum(divergence)
    return penalty * replicas / tf.maximum(rows, 1.0)
