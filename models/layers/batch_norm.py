# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation over valid frames and over all replicas."""

import tensorflow as tf

from yt8m.models.layers import variables

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class BatchNorm(keras.layers.Layer):
  """Normalises every channel over the valid rows of the global batch.

      μ = Σ m x / n,   σ² = Σ m (x − μ)² / n,   n = Σ m
      y = γ (x − μ) / sqrt(σ² + ε) + β
      moving_mean ← d · moving_mean + (1 − d) μ
      moving_variance ← d · moving_variance + (1 − d) σ² · n / (n − 1)

  At inference the moving averages replace μ and σ². Keras' own layer differs in
  two ways that change the function: without `synchronized` every replica
  normalises by its own rows, and on vectors it keeps the biased variance where the
  starter code's fused form keeps the unbiased one.

  Args:
    decay: d.
    epsilon: ε.
    unbiased: whether the moving variance is the unbiased one (`n / (n − 1)`).

  Call arguments:
    x: (batch_size, ..., dim).
    frame_mask: shape of `x` without `dim`, bool; rows where it is False contribute to no
      statistic. None means that all rows are valid.

  Returns:
    The shape and dtype of `x`; statistics are computed in float32.

  Reference: Ioffe & Szegedy 2015 (arXiv:1502.03167), algorithm 1 and 2; constants
  of `slim.batch_norm` as the YouTube-8M starter code uses it.
  """

  def __init__(self, decay=0.999, epsilon=1e-3, unbiased=True, **kwargs):
    # float32 whatever the policy: sums over a batch lose too much in half precision.
    super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
    self.decay, self.epsilon, self.unbiased = decay, epsilon, unbiased

  def build(self, input_shape):
    dim = (input_shape[-1],)
    self.gamma = self.add_weight(name="gamma", shape=dim, initializer="ones")
    self.beta = self.add_weight(name="beta", shape=dim, initializer="zeros")
    self.moving_mean = self.add_weight(
        name="moving_mean", shape=dim, initializer="zeros", trainable=False,
        aggregation=variables.MEAN)
    self.moving_variance = self.add_weight(
        name="moving_variance", shape=dim, initializer="ones", trainable=False,
        aggregation=variables.MEAN)
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    inputs, x = x, tf.cast(x, tf.float32)
    if training:
      mean, variance = self._update_statistics(x, frame_mask)
    else:
      mean, variance = self.moving_mean, self.moving_variance
    scale = tf.math.rsqrt(variance + self.epsilon) * self.gamma
    return tf.cast(x * scale + (self.beta - mean * scale), inputs.dtype)

  def _update_statistics(self, x, frame_mask):
    axes = list(range(len(x.shape) - 1))
    if frame_mask is None:
      weight = tf.ones(tf.shape(x)[:-1], x.dtype)
    else:
      weight = tf.cast(frame_mask, x.dtype)
    weight = weight[..., tf.newaxis]
    count, total = sum_over_replicas(
        [tf.reduce_sum(weight), tf.reduce_sum(tf.where(weight > 0, x, 0.0), axes)])
    count = tf.maximum(count, 1.0)
    mean = total / count
    # Two passes: E[x²] − E[x]² cancels badly when |μ| >> σ.
    squares = tf.where(weight > 0, tf.math.squared_difference(x, mean), 0.0)
    [variance] = sum_over_replicas([tf.reduce_sum(squares, axes) / count])
    moving = variance
    if self.unbiased:
      moving = variance * count / tf.maximum(count - 1.0, 1.0)
    for average, value in ((self.moving_mean, mean), (self.moving_variance, moving)):
      average.assign(average * self.decay
                     + tf.stop_gradient(value) * (1.0 - self.decay))
    return mean, variance

  def get_config(self):
    return {**super().get_config(), "decay": self.decay, "epsilon": self.epsilon,
            "unbiased": self.unbiased}


def sum_over_replicas(tensors):
  """Sums each tensor over the replicas, with a gradient; itself on one device."""
  context = tf.distribute.get_replica_context()
  if context is None or context.num_replicas_in_sync == 1:
    return tensors
  return [context.all_reduce(tf.distribute.ReduceOp.SUM, t) for t in tensors]
