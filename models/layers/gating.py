# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Context gating: every value scaled by how much the others speak for it."""

import tensorflow as tf

from yt8m.models.layers import batch_norm

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class ContextGating(keras.layers.Layer):
  """Reweighs a vector by a sigmoid gate of itself, or of another vector.

      y = x ⊙ σ(BN(W c)),   c = x unless a context is given
      without batch normalisation: y = x ⊙ σ(W c + b)

  With `remove_diagonal` a value has no say in its own gate: W c − diag(W) ⊙ c.

  Args:
    use_batch_norm: normalise the gate instead of giving it a bias.
    remove_diagonal: leave out the diagonal of W; needs c of the size of x.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, dim).
    context: (batch_size, context_dim), or None.

  Returns:
    (batch_size, dim).

  Reference: Miech et al. 2017 (arXiv:1706.06905), equation 1; the WILLOW code
  (`gating_remove_diag`, `moe_prob_gating_input`).
  """

  def __init__(self, use_batch_norm=True, remove_diagonal=False,
               batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.use_batch_norm, self.remove_diagonal = use_batch_norm, remove_diagonal
    self.batch_norm_decay = batch_norm_decay

  def build(self, x_shape, context_shape=None):
    dim = x_shape[-1]
    self.gate = keras.layers.Dense(
        dim, use_bias=not self.use_batch_norm, name="gate",
        kernel_initializer=keras.initializers.RandomNormal(stddev=dim ** -0.5))
    if self.use_batch_norm:
      self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
      self.norm.build((None, dim))
    self.built = True

  def call(self, x, context=None, training=False):
    context = x if context is None else context
    gate = self.gate(context)
    if self.remove_diagonal:
      diagonal = tf.linalg.diag_part(tf.convert_to_tensor(self.gate.kernel))
      gate -= context * tf.cast(diagonal, context.dtype)
    if self.use_batch_norm:
      gate = self.norm(gate, training=training)
    return x * tf.sigmoid(gate)

  def get_config(self):
    return {**super().get_config(), "use_batch_norm": self.use_batch_norm,
            "remove_diagonal": self.remove_diagonal,
            "batch_norm_decay": self.batch_norm_decay}
