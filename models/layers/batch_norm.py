# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation over valid frames and over all replicas."""

from typing import Any

import tensorflow as tf

from yt8m.models.layers import base
from yt8m.models.layers import masking
from yt8m.models.layers import variables


class BatchNorm(base.Layer):
  """Normalises every channel over the valid rows of the global batch.

      μ = Σ m x / n,   σ² = Σ m (x − μ)² / n,   n = Σ m
      y = γ (x − μ) / sqrt(σ² + ε) + β
      moving_mean ← d · moving_mean + (1 − d) μ
      moving_variance ← d · moving_variance + (1 − d) σ² · n / (n − 1)

  At inference, and where `trainable` is False, the moving averages replace μ and σ². The
  layer of Keras computes another function in two respects: unless `synchronized`, every
  replica normalises by its own rows; and on vectors it keeps the biased variance, where
  the fused form that the starter code uses keeps the unbiased one.

  Args:
    decay: Decay of the moving averages, d.
    epsilon: Constant added to the variance, ε.
    unbiased: Whether the moving variance is the unbiased one (`n / (n − 1)`).

  Call arguments:
    x: (batch_size, ..., dim).
    frame_mask: Booleans of the shape of `x` without `dim`. Rows where it is False do
      not contribute to the statistics. None means that all rows are valid.

  Returns:
    A tensor of the shape and dtype of `x`. Statistics are computed in float32.

  Reference: Ioffe & Szegedy 2015 (arXiv:1502.03167), algorithms 1 and 2; the constants
  are those of `slim.batch_norm` in the YouTube-8M starter code.
  """

  def __init__(self, decay: float = 0.999, epsilon: float = 1e-3, unbiased: bool = True,
               **kwargs: Any):
    # float32 under every policy: half precision loses too much in sums over a batch.
    super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
    self.decay, self.epsilon, self.unbiased = decay, epsilon, unbiased

  def build(self, input_shape: Any) -> None:
    dim = (input_shape[-1],)
    self.gamma = self.add_weight(name="gamma", shape=dim, initializer="ones")
    self.beta = self.add_weight(name="beta", shape=dim, initializer="zeros")
    self.moving_mean = self.add_weight(
        name="moving_mean", shape=dim, initializer="zeros", trainable=False,
        aggregation=variables.MEAN)
    self.moving_variance = self.add_weight(
        name="moving_variance", shape=dim, initializer="ones", trainable=False,
        aggregation=variables.MEAN)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    inputs, x = x, tf.cast(x, tf.float32)
    if training and self.trainable:  # A frozen layer keeps its statistics, as in Keras.
      mean, variance = self._update_statistics(x, frame_mask)
    else:
      mean, variance = self.moving_mean, self.moving_variance
    scale = tf.math.rsqrt(variance + self.epsilon) * self.gamma
    return tf.cast(_scale_and_shift(x, scale, self.beta - mean * scale), inputs.dtype)

  def _update_statistics(self, x: tf.Tensor, frame_mask: tf.Tensor | None
                         ) -> tuple[tf.Tensor, tf.Tensor]:
    x = tf.reshape(x, [-1, x.shape[-1]])
    weights = (tf.ones([1, tf.shape(x)[0]]) if frame_mask is None
               else tf.reshape(tf.cast(frame_mask, x.dtype), [1, -1]))
    count, total = sum_over_replicas([tf.reduce_sum(weights), _weighted_sum(weights, x)])
    count = tf.maximum(count, 1.0)
    mean = total / count
    # Two passes, since E[x²] − E[x]² loses its digits when |μ| >> σ.
    # By the mean, the variance has the gradient 0.
    squares = tf.math.squared_difference(x, tf.stop_gradient(mean))
    [variance] = sum_over_replicas([_weighted_sum(weights, squares) / count])
    moving = variance
    if self.unbiased:
      moving = variance * count / tf.maximum(count - 1.0, 1.0)
    for average, value in ((self.moving_mean, mean), (self.moving_variance, moving)):
      average.assign(average * self.decay
                     + tf.stop_gradient(value) * (1.0 - self.decay))
    return mean, variance


@tf.custom_gradient
def _weighted_sum(weights: tf.Tensor, x: tf.Tensor) -> Any:
  """Returns `Σ_n w_n x_n`, without the rows of weight 0 even if they are not finite.

  It is a matrix product, which reads the rows once. The gradient of the condition would
  keep the rows in memory.

  Args:
    weights: w, (1, n), 0 or 1.
    x: (n, dim).
  """
  total = tf.matmul(weights, x)
  total = tf.cond(
      tf.reduce_all(tf.math.is_finite(total)), lambda: total,
      lambda: tf.matmul(weights, masking.keep(x, tf.transpose(weights) > 0)))

  def gradient(upstream):
    return None, tf.matmul(weights, upstream[tf.newaxis], transpose_a=True)

  return total[0], gradient


@tf.custom_gradient
def _scale_and_shift(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor) -> Any:
  """Returns `scale · x + shift`, with scale and shift of shape (dim,).

  Its gradient sums over rows by products, as `_weighted_sum` does.
  """

  def gradient(upstream):
    rows = tf.reshape(upstream, [-1, x.shape[-1]])
    ones = tf.ones([1, tf.shape(rows)[0]])
    by_scale = tf.matmul(ones, rows * tf.reshape(x, tf.shape(rows)))
    return upstream * scale, by_scale[0], tf.matmul(ones, rows)[0]

  return x * scale + shift, gradient


def sum_over_replicas(tensors: list[tf.Tensor]) -> list[tf.Tensor]:
  """Sums each tensor over the replicas, with a gradient."""
  context = tf.distribute.get_replica_context()
  if context is None or context.num_replicas_in_sync == 1:
    return tensors
  return [context.all_reduce(tf.distribute.ReduceOp.SUM, t) for t in tensors]
