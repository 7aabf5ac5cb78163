# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a stack of LSTMs."""

import tensorflow as tf

from yt8m.models import registries

keras = tf.keras


@registries.AGGREGATIONS.register("lstm")
@keras.utils.register_keras_serializable(package="yt8m")
class Lstm(keras.layers.Layer):
  """Reads the frames in order; the last state of the top layer is the video.

      z = W x_t + R h_{t−1} + b, split into i, f, c̃, o
      c_t = σ(f) c_{t−1} + σ(i) tanh(c̃)
      h_t = σ(o) tanh(c_t)

  The forget bias starts at 1, which is the constant that the starter code's
  `BasicLSTMCell` adds (there the gate order is i, c̃, f, o).

  Args:
    units: cells a layer (`--lstm_cells`).
    num_layers: layers (`--lstm_layers`).

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. The state stands still over padded frames.

  Returns:
    (batch_size, units).

  Reference: Hochreiter & Schmidhuber 1997; YouTube-8M starter code, `LstmModel`.
  """

  def __init__(self, units=1024, num_layers=2, **kwargs):
    super().__init__(**kwargs)
    self.units, self.num_layers = units, num_layers

  def build(self, input_shape):
    top = self.num_layers - 1
    self.stack = [keras.layers.LSTM(self.units, return_sequences=layer < top)
                   for layer in range(self.num_layers)]
    batch_size, num_frames, dim = input_shape
    for layer in self.stack:
      layer.build((batch_size, num_frames, dim))
      dim = self.units
    self.built = True

  def call(self, x, frame_mask=None):
    for layer in self.stack:
      x = layer(x, mask=frame_mask)
    return x

  def get_config(self):
    return {**super().get_config(), "units": self.units, "num_layers": self.num_layers}
