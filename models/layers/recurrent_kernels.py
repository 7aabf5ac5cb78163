# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The recurrences of LSTM and GRU in feature-major layout, with their gradients.

Videos are the columns: the state has shape (units, batch_size). The matrix product of a
step, Rᵀ h, then has the many rows of Rᵀ, where the usual layout has only as many rows as
the batch. Everything that does not depend on the previous state is one product over all
frames outside the loop: the input projection, and the gradients of weights and inputs.

    LSTM:  i, f, g, o = z_t + Rᵀ h_{t−1}, split in four      g is the candidate c̃
           c_t = σ(f) c_{t−1} + σ(i) tanh(g)
           h_t = σ(o) tanh(c_t)

    GRU:   u, r = σ(z_t + Rᵀ h_{t−1}), split in two          u is called z in Keras
           g = tanh(z_t + r ⊙ (Rᵀ h_{t−1} + d))              reset after, or
           g = tanh(z_t + Rᵀ (r ⊙ h_{t−1}))                  reset before
           h_t = u h_{t−1} + (1 − u) g
"""

from typing import Any
from typing import cast

import tensorflow as tf


@tf.custom_gradient
def lstm(z: tf.Tensor, recurrent: tf.Tensor) -> Any:
  """Runs the recurrence of the LSTM from a state of zeros.

  Args:
    z: (batch_size, num_frames, 4 units), `W x_t + b`, in Keras' order i, f, c̃, o.
    recurrent: R, (units, 4 units).

  Returns:
    h and c at every frame, (batch_size, num_frames, units) each.
  """
  z = _feature_major(z)
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

    now = _feature_major(dh), _feature_major(dc), c, _before(c), activated
    _, _, dz = tf.scan(backward, now, (state, state, gates), reverse=True)
    dz = _batch_major(dz)
    return dz, _outer(_batch_major(_before(h)), dz)

  return (_batch_major(h), _batch_major(c)), gradient


@tf.custom_gradient
def gru_reset_after(z: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor) -> Any:
  """Runs the recurrence of the GRU with reset after, from a state of zeros.

  Args:
    z: (batch_size, num_frames, 3 units), `W x_t + b`, in Keras' order z, r, h.
    recurrent: R, (units, 3 units).
    bias: (3 units,), added to Rᵀ h. Its last third is d.

  Returns:
    h at every frame, (batch_size, num_frames, units).
  """
  z = _feature_major(z)
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

    now = _feature_major(dh), _before(h), *activated
    _, dz, dm = tf.scan(backward, now, (state, gates, gates), reverse=True)
    dm = _batch_major(dm)
    return (_batch_major(dz), _outer(_batch_major(_before(h)), dm),
            tf.reduce_sum(dm, axis=[0, 1]))

  return _batch_major(h), gradient


@tf.custom_gradient
def gru_reset_before(z: tf.Tensor, recurrent: tf.Tensor) -> Any:
  """Runs the recurrence of the GRU with reset before, which has no second bias.

  A step takes two matrix products here. Arguments and result are those of
  `gru_reset_after`.
  """
  z = _feature_major(z)
  gates = tf.zeros_like(z[0])
  state = tf.split(gates, 3)[0]
  units = cast(int, recurrent.shape[0])
  r_gates, r_candidate = tf.split(recurrent, [2 * units, units], axis=1)
  to_gates, to_candidate = tf.transpose(r_gates), tf.transpose(r_candidate)

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
      dreset = tf.matmul(r_candidate, dg)  # gradient of r ⊙ h_{t−1}
      dgates = tf.concat([dh * (h_before - g) * u * (1 - u),
                          dreset * h_before * r * (1 - r)], axis=0)
      return (tf.matmul(r_gates, dgates) + dreset * r + dh * u,
              tf.concat([dgates, dg], axis=0))

    h_before = _before(h)
    now = _feature_major(dh), h_before, u, r, g
    _, dz = tf.scan(backward, now, (state, gates), reverse=True)
    dz = _batch_major(dz)
    dgates, dg = tf.split(dz, [2 * units, units], axis=-1)
    return dz, tf.concat([_outer(_batch_major(h_before), dgates),
                          _outer(_batch_major(r * h_before), dg)], axis=1)

  return _batch_major(h), gradient


def _feature_major(x: tf.Tensor) -> tf.Tensor:
  """(batch_size, num_frames, dim) -> (num_frames, dim, batch_size)."""
  return tf.transpose(x, [1, 2, 0])


def _batch_major(x: tf.Tensor) -> tf.Tensor:
  """(num_frames, dim, batch_size) -> (batch_size, num_frames, dim)."""
  return tf.transpose(x, [2, 0, 1])


def _before(states: tf.Tensor) -> tf.Tensor:
  """Returns the state that each frame starts from: zeros for the first frame."""
  return tf.concat([tf.zeros_like(states[:1]), states[:-1]], axis=0)


def _outer(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
  """Returns `Σ x_t y_tᵀ` over all frames of all videos of batch-major x and y."""
  return tf.tensordot(x, y, [[0, 1], [0, 1]])
