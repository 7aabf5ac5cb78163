# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""LSTM with layer normalisation inside the recurrence."""

import tensorflow as tf

from yt8m.models.layers import recurrent

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class LayerNormLstmLayer(recurrent.RecurrentLayer):
  """LSTM whose two projections and whose cell are normalised.

      z = LN(W x_t) + LN(R h_{t−1}) + b, split into i, f, c̃, o
      c_t = LN(σ(f) c_{t−1} + σ(i) tanh(c̃))
      h_t = σ(o) tanh(c_t)

  Each LN has a scale and an offset of its own and runs over all values of its vector:
  over 4 units, the four gates together, in the first two. The cell handed to the next
  frame is the normalised one.

  Arguments, shapes and states: see `RecurrentLayer` and `LstmLayer`; further

  Args:
    epsilon: added to the variances.
    recurrent_activation: σ, a name or a function of Keras.

  Reference: Ba et al. 2016 (arXiv:1607.06450), equations 20-22, with the cell
  normalised as in TensorFlow Addons' `LayerNormLSTMCell`.
  """

  def __init__(self, units, reverse=False, epsilon=1e-3, recurrent_activation="sigmoid",
               **kwargs):
    super().__init__(units, reverse, **kwargs)
    self.epsilon = epsilon
    self.cell = keras.layers.LSTMCell(
        units, recurrent_activation=recurrent_activation, name="cell")
    self.kernel_norm = self._norm("kernel_norm")
    self.recurrent_norm = self._norm("recurrent_norm")
    self.state_norm = self._norm("state_norm")

  def _norm(self, name):
    return keras.layers.LayerNormalization(
        epsilon=self.epsilon, dtype="float32", name=name)

  def build(self, input_shape):
    self.cell.build((None, input_shape[-1]))
    self.kernel_norm.build((None, None, 4 * self.units))
    self.recurrent_norm.build((None, 4 * self.units))
    self.state_norm.build((None, self.units))
    self.built = True

  def cudnn_fits(self):
    return False

  def recurrence(self, x):
    kernel, recurrent_kernel, bias = recurrent.float32_weights(self.cell)
    z = self.kernel_norm(tf.tensordot(tf.cast(x, tf.float32), kernel, 1)) + bias
    frames = tf.transpose(z, [1, 0, 2])
    zeros = tf.zeros_like(frames[0, :, :self.units])
    states = tf.scan(lambda state, z_t: self.step(state, z_t, recurrent_kernel),
                     frames, (zeros, zeros))
    return [tf.transpose(s, [1, 0, 2]) for s in states]

  def step(self, state, z, recurrent_kernel):
    """One frame: (h, c) before it and `LN(W x) + b` to (h, c) after it."""
    h, c = state
    sigmoid = self.cell.recurrent_activation
    z += self.recurrent_norm(tf.matmul(h, recurrent_kernel))
    i, f, g, o = tf.split(z, 4, axis=-1)
    c = self.state_norm(sigmoid(f) * c + sigmoid(i) * tf.tanh(g))
    return sigmoid(o) * tf.tanh(c), c

  def get_config(self):
    return {**super().get_config(), "epsilon": self.epsilon,
            "recurrent_activation": keras.activations.serialize(
                self.cell.recurrent_activation)}
