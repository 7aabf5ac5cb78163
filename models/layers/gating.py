# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Context gating: every value scaled by how much the others speak for it."""

import numpy as np
import tensorflow as tf

from yt8m.models.layers import batch_norm

keras = tf.keras

GATINGS = ("none", "context", "squeeze")


@keras.utils.register_keras_serializable(package="yt8m")
class ContextGating(keras.layers.Layer):
  """Reweighs a vector by a sigmoid gate of itself, or of another vector.

      y = x ⊙ σ(BN(W c)),   c = x unless a context is given
      without batch normalisation: y = x ⊙ σ(W c + b)

  With `remove_diagonal` a value has no say in its own gate: W c − diag(W) ⊙ c. With a
  `rank` the matrix is a product of two, W = W₂ W₁.

  Args:
    use_batch_norm: normalise the gate instead of giving it a bias.
    remove_diagonal: leave out the diagonal of W; needs c of the size of x.
    rank: rows of W₁; 0 for one full matrix.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, dim).
    context: (batch_size, context_dim), or None.

  Returns:
    (batch_size, dim).

  Raises:
    ValueError: `remove_diagonal` of a W that is not square or has a rank.

  Reference: Miech et al. 2017 (arXiv:1706.06905), equation 1; the WILLOW code
  (`gating_remove_diag`, `moe_prob_gating_input`).
  """

  def __init__(self, use_batch_norm=True, remove_diagonal=False, rank=0,
               batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.use_batch_norm, self.remove_diagonal = use_batch_norm, remove_diagonal
    self.rank, self.batch_norm_decay = rank, batch_norm_decay

  def build(self, x_shape, context_shape=None):
    # The dense layers build themselves in the first call: Keras 2 says nothing here
    # about the size of the context.
    dim = x_shape[-1]
    normal = keras.initializers.RandomNormal
    if self.rank:
      self.squeeze = keras.layers.Dense(
          self.rank, use_bias=False, dtype=self.dtype_policy, name="squeeze",
          kernel_initializer=normal(stddev=self.rank ** -0.5))
    self.gate = keras.layers.Dense(
        dim, use_bias=not self.use_batch_norm, dtype=self.dtype_policy, name="gate",
        kernel_initializer=normal(stddev=dim ** -0.5))
    if self.use_batch_norm:
      self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
      self.norm.build((None, dim))
    self.built = True

  def call(self, x, context=None, training=False):
    context = x if context is None else tf.cast(context, self.compute_dtype)
    if self.remove_diagonal and (self.rank or context.shape[-1] != x.shape[-1]):
      raise ValueError(
          f"remove_diagonal needs a square gate, not {context.shape[-1]} to "
          f"{x.shape[-1]} values of rank {self.rank}: gate by the values themselves, "
          "without a rank (--hparams).")
    logits = self._logits(context, training)
    return x * tf.sigmoid(tf.cast(logits, x.dtype))

  def _logits(self, context, training=False):
    logits = self.gate(self.squeeze(context) if self.rank else context)
    if self.remove_diagonal:
      diagonal = tf.linalg.diag_part(tf.convert_to_tensor(self.gate.kernel))
      logits -= context * tf.cast(diagonal, context.dtype)
    if self.use_batch_norm:
      logits = self.norm(logits, training=training)
    return logits

  def start_at(self, openness, context):
    """Sets the biases so that `context` opens the gates so far at inference.

    Args:
      openness: (dim,) values of the gates, each in (0, 1).
      context: (context_dim,).
    """
    biases = self.norm.beta if self.use_batch_norm else self.gate.bias
    biases.assign(tf.zeros_like(biases))
    wanted = np.log(openness) - np.log1p(-openness)
    context = tf.cast(tf.convert_to_tensor(context), self.compute_dtype)
    biases.assign(wanted - tf.cast(self._logits(context[tf.newaxis])[0], tf.float32))

  def get_config(self):
    return {**super().get_config(), "use_batch_norm": self.use_batch_norm,
            "remove_diagonal": self.remove_diagonal, "rank": self.rank,
            "batch_norm_decay": self.batch_norm_decay}


@keras.utils.register_keras_serializable(package="yt8m")
class SqueezeGating(keras.layers.Layer):
  """Reweighs a vector by a gate that sees only a summary of it (squeeze and excite).

      y = x ⊙ σ(W₂ relu(BN(W₁ x))),   W₁ to dim / r values

  Args:
    reduction: r, must not exceed dim.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    (batch_size, dim).

  Raises:
    ValueError: nothing is left of `dim` after the reduction.

  Reference: Hu et al. 2018 (arXiv:1709.01507), equation 3; Lin et al. 2018
  (arXiv:1811.05014), section 3.3 (SE Context Gating).
  """

  def __init__(self, reduction=8, batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.reduction, self.batch_norm_decay = reduction, batch_norm_decay

  def build(self, input_shape):
    dim = input_shape[-1]
    squeezed = dim // self.reduction
    if not squeezed:
      raise ValueError(f"A reduction of {self.reduction} leaves nothing of {dim} "
                       "values: lower gating_reduction (--hparams).")
    self.squeeze = self._dense(squeezed, dim, "squeeze")
    self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
    self.norm.build((None, squeezed))
    self.excite = self._dense(dim, squeezed, "excite")
    self.built = True

  def _dense(self, units, dim, name):
    dense = keras.layers.Dense(
        units, use_bias=False, name=name,
        kernel_initializer=keras.initializers.VarianceScaling(2.0))
    dense.build((None, dim))
    return dense

  def call(self, x, training=False):
    summary = tf.nn.relu(self.norm(self.squeeze(x), training=training))
    return x * tf.sigmoid(self.excite(summary))

  def get_config(self):
    return {**super().get_config(), "reduction": self.reduction,
            "batch_norm_decay": self.batch_norm_decay}


def make_gating(gating, reduction=8, batch_norm_decay=0.999, remove_diagonal=False):
  """The layer of a hyperparameter `gating`, one of `GATINGS`; None for `"none"`."""
  if gating not in GATINGS:
    raise ValueError(f"Unknown gating {gating!r}. Valid: {', '.join(GATINGS)} "
                     "(--hparams).")
  if remove_diagonal and gating != "context":
    raise ValueError("remove_diagonal=True needs context gating: no other gate has a "
                     "diagonal to remove (--hparams).")
  if gating == "context":
    return ContextGating(remove_diagonal=remove_diagonal,
                         batch_norm_decay=batch_norm_decay, name="gate")
  if gating == "squeeze":
    return SqueezeGating(reduction, batch_norm_decay, name="gate")
  return None
