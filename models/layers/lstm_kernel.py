# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The LSTM recurrence in feature-major layout, with its gradient.

    i, f, g, o = z_t + Rᵀ h_{t−1}, split in four      g is the candidate c̃
    c_t = σ(f) c_{t−1} + σ(i) tanh(g)
    h_t = σ(o) tanh(c_t)
"""

import tensorflow as tf

from yt8m.models.layers.feature_major import batch_major
from yt8m.models.layers.feature_major import before
from yt8m.models.layers.feature_major import feature_major
from yt8m.models.layers.feature_major import outer


@tf.custom_gradient
def lstm(z, recurrent):
  """Runs the recurrence from a state of zeros.

  Args:
    z: (batch_size, num_frames, 4 units), `W x_t + b`, in Keras' order i, f, c̃, o.
    recurrent: R, (units, 4 units).

  Returns:
    h and c at every frame, (batch_size, num_frames, units) each.
  """
  z = feature_major(z)
  gates = tf.zeros_like(z[0])
  state = tf.split(gates, 4)[0]
  transposed = tf.transpose(recurrent)

  def forward(previous, z_t):
    h, c, _ = previous
    i, f, g, o = tf.split(z_t + tf.matmul(transposed, h), 4)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    c = f * c + i * g
    return o * tf.tanh(c), c, tf.concat([i, f, g, o], axis=0)

  h, c, activated = tf.scan(forward, z, (state, state, gates))

  def gradient(dh, dc):
    def backward(later, now):
      dh, dc, _ = later
      dh_t, dc_t, c, c_before, activated = now
      i, f, g, o = tf.split(activated, 4)
      tanh_c = tf.tanh(c)
      dh += dh_t
      dc += dc_t + dh * o * (1 - tanh_c * tanh_c)
      dz = tf.concat([dc * g * i * (1 - i), dc * c_before * f * (1 - f),
                      dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)], axis=0)
      return tf.matmul(recurrent, dz), dc * f, dz

    now = feature_major(dh), feature_major(dc), c, before(c), activated
    _, _, dz = tf.scan(backward, now, (state, state, gates), reverse=True)
    dz = batch_major(dz)
    return dz, outer(batch_major(before(h)), dz)

  return (batch_major(h), batch_major(c)), gradient
