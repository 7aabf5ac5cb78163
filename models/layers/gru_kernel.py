# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The GRU recurrence in feature-major layout, with its gradient.

    u, r = σ(z_t + Rᵀ h_{t−1}), split in two       the gates; u is Keras' z
    g = tanh(z_t + r ⊙ (Rᵀ h_{t−1} + d))           reset after, or
    g = tanh(z_t + Rᵀ (r ⊙ h_{t−1}))               reset before
    h_t = u h_{t−1} + (1 − u) g
"""

import tensorflow as tf

from yt8m.models.layers.feature_major import batch_major
from yt8m.models.layers.feature_major import before
from yt8m.models.layers.feature_major import feature_major
from yt8m.models.layers.feature_major import outer


@tf.custom_gradient
def gru_reset_after(z, recurrent, bias):
  """Runs the recurrence from a state of zeros.

  Args:
    z: (batch_size, num_frames, 3 units), `W x_t + b`, in Keras' order z, r, h.
    recurrent: R, (units, 3 units).
    bias: (3 units,), added to Rᵀ h; d is its last third.

  Returns:
    h at every frame, (batch_size, num_frames, units).
  """
  z = feature_major(z)
  gates = tf.zeros_like(z[0])
  state = tf.split(gates, 3)[0]
  transposed, bias = tf.transpose(recurrent), bias[:, tf.newaxis]

  def forward(previous, z_t):
    h = previous[0]
    z_u, z_r, z_g = tf.split(z_t, 3)
    m_u, m_r, n = tf.split(tf.matmul(transposed, h) + bias, 3)
    u, r = tf.sigmoid(z_u + m_u), tf.sigmoid(z_r + m_r)
    g = tf.tanh(z_g + r * n)
    return g + u * (h - g), u, r, g, n

  h, *activated = tf.scan(forward, z, (state,) * 5)

  def gradient(dh):
    def backward(later, now):
      dh_t, h_before, u, r, g, n = now
      dh = later[0] + dh_t
      dg = dh * (1 - u) * (1 - g * g)
      du, dr = dh * (h_before - g) * u * (1 - u), dg * n * r * (1 - r)
      dm = tf.concat([du, dr, dg * r], axis=0)
      return tf.matmul(recurrent, dm) + dh * u, tf.concat([du, dr, dg], axis=0), dm

    now = feature_major(dh), before(h), *activated
    _, dz, dm = tf.scan(backward, now, (state, gates, gates), reverse=True)
    dm = batch_major(dm)
    return (batch_major(dz), outer(batch_major(before(h)), dm),
            tf.reduce_sum(dm, axis=[0, 1]))

  return batch_major(h), gradient


@tf.custom_gradient
def gru_reset_before(z, recurrent):
  """The same with the reset gate before the product: two products a step, no bias."""
  z = feature_major(z)
  gates = tf.zeros_like(z[0])
  state = tf.split(gates, 3)[0]
  units = recurrent.shape[0]
  of_gates, of_candidate = tf.split(recurrent, [2 * units, units], axis=1)
  to_gates, to_candidate = tf.transpose(of_gates), tf.transpose(of_candidate)

  def forward(previous, z_t):
    h = previous[0]
    u, r = tf.split(tf.sigmoid(z_t[:2 * units] + tf.matmul(to_gates, h)), 2)
    g = tf.tanh(z_t[2 * units:] + tf.matmul(to_candidate, r * h))
    return g + u * (h - g), u, r, g

  h, u, r, g = tf.scan(forward, z, (state,) * 4)

  def gradient(dh):
    def backward(later, now):
      dh_t, h_before, u, r, g = now
      dh = later[0] + dh_t
      dg = dh * (1 - u) * (1 - g * g)
      dreset = tf.matmul(of_candidate, dg)  # of r ⊙ h_{t−1}
      dgates = tf.concat([dh * (h_before - g) * u * (1 - u),
                          dreset * h_before * r * (1 - r)], axis=0)
      return (tf.matmul(of_gates, dgates) + dreset * r + dh * u,
              tf.concat([dgates, dg], axis=0))

    h_before = before(h)
    now = feature_major(dh), h_before, u, r, g
    _, dz = tf.scan(backward, now, (state, gates), reverse=True)
    dz = batch_major(dz)
    dgates, dg = tf.split(dz, [2 * units, units], axis=-1)
    return dz, tf.concat([outer(batch_major(h_before), dgates),
                          outer(batch_major(r * h_before), dg)], axis=1)

  return batch_major(h), gradient
