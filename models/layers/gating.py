# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Gates that scale every value of a vector by how well it fits the other values."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import numerics
from yt8m.models.layers import base
from yt8m.models.layers import batch_norm

keras = tf.keras


class ContextGating(base.Layer):
  """Multiplies a vector by a sigmoid gate of itself, or of another vector.

      y = x ⊙ σ(BN(W c)),   c = x unless a context is given
      without batch normalisation: y = x ⊙ σ(W c + b)

  With `remove_diagonal`, the gate of a value ignores the value itself: W c − diag(W) ⊙ c.
  With a `rank`, the matrix is a product of two, W = W₂ W₁.

  Args:
    use_batch_norm: Whether W c is normalised instead of having a bias.
    remove_diagonal: Whether the diagonal of W is left out; c then has the size of x.
    rank: Number of rows of W₁; 0 for one full matrix.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, dim).
    context: (batch_size, context_dim), or None.

  Returns:
    (batch_size, dim).

  Raises:
    ValueError: `remove_diagonal` is given, but W is not square or has a rank.

  Reference: Miech et al. 2017 (arXiv:1706.06905), equation 1; the WILLOW code
  (`gating_remove_diag`, `moe_prob_gating_input`).
  """

  def __init__(self, use_batch_norm: bool = True, remove_diagonal: bool = False,
               rank: int = 0, batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    self.use_batch_norm, self.remove_diagonal = use_batch_norm, remove_diagonal
    self.rank, self.batch_norm_decay = rank, batch_norm_decay

  def build(self, x_shape: Any, context_shape: Any = None) -> None:
    # The dense layers build themselves in the first call, because Keras 2 does not pass
    # the shape of the context.
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
      self.norm = base.built(
          batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm"), None, dim)

  def call(self, x: tf.Tensor, context: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    context = x if context is None else tf.cast(context, self.compute_dtype)
    if self.remove_diagonal and (self.rank or context.shape[-1] != x.shape[-1]):
      raise ValueError(
          f"remove_diagonal needs a square gate, not {context.shape[-1]} to "
          f"{x.shape[-1]} values of rank {self.rank}: gate by the values themselves, "
          "without a rank (--hparams).")
    logits = self._logits(context, training)
    return x * tf.sigmoid(tf.cast(logits, x.dtype))

  def _logits(self, context: tf.Tensor, training: bool = False) -> tf.Tensor:
    logits = self.gate(self.squeeze(context) if self.rank else context)
    if self.remove_diagonal:
      diagonal = tf.linalg.diag_part(tf.convert_to_tensor(self.gate.kernel))
      logits -= context * tf.cast(diagonal, context.dtype)
    if self.use_batch_norm:
      logits = self.norm(logits, training=training)
    return logits

  def start_at(self, openness: np.ndarray, context: np.ndarray) -> None:
    """Sets the biases so that `context` opens the gates to given values at inference.

    Args:
      openness: Values of the gates, each in (0, 1), (dim,).
      context: Context, (context_dim,).
    """
    biases = self.norm.beta if self.use_batch_norm else self.gate.bias
    biases.assign(tf.zeros_like(biases))
    contexts = tf.cast(tf.convert_to_tensor(context), self.compute_dtype)[tf.newaxis]
    logits = tf.cast(self._logits(contexts)[0], tf.float32)
    biases.assign(numerics.logit(openness, 0) - logits)



class SqueezeGating(base.Layer):
  """Multiplies a vector by a gate that sees only a summary of it (squeeze and excite).

      y = x ⊙ σ(W₂ relu(BN(W₁ x))),   W₁ maps to dim / r values

  Args:
    reduction: Reduction r, at most dim.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    (batch_size, dim).

  Raises:
    ValueError: The reduction exceeds `dim`.

  Reference: Hu et al. 2018 (arXiv:1709.01507), equation 3; Lin et al. 2018
  (arXiv:1811.05014), section 3.3 (SE Context Gating).
  """

  def __init__(self, reduction: int = 8, batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    self.reduction, self.batch_norm_decay = reduction, batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    squeezed = dim // self.reduction
    if not squeezed:
      raise ValueError(f"A reduction of {self.reduction} leaves nothing of {dim} "
                       "values: lower gating_reduction (--hparams).")
    self.squeeze = self._dense(squeezed, dim, "squeeze")
    self.norm = base.built(
        batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm"), None, squeezed)
    self.excite = self._dense(dim, squeezed, "excite")

  def _dense(self, units: int, dim: int, name: str) -> Any:
    initializer = keras.initializers.VarianceScaling(2.0)
    return base.built(keras.layers.Dense(
        units, use_bias=False, kernel_initializer=initializer, name=name), None, dim)

  def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
    summary = tf.nn.relu(self.norm(self.squeeze(x), training=training))
    return x * tf.sigmoid(self.excite(summary))
