# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a stack of LSTMs."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import recurrent_stack
from yt8m.models.layers import layer_norm_lstm
from yt8m.models.layers import recurrent

keras = tf.keras


@registries.AGGREGATIONS.register("lstm")
@keras.utils.register_keras_serializable(package="yt8m")
class Lstm(recurrent_stack.RecurrentStack):
  """Reads the frames in order; the last state of the top layer is the video.

      h_t^n, c_t^n = LSTM(h_t^{n−1}, h_{t−1}^n, c_{t−1}^n),   h_t^0 = x_t
      last: h_T^N      states: [c_T^1 ; h_T^1 ; … ; c_T^N ; h_T^N]

  The forget bias starts at 1, which is the constant that the starter code's
  `BasicLSTMCell` adds (there the gate order is i, c̃, f, o).

  Args:
    units: cells a layer (`--lstm_cells`).
    num_layers: N (`--lstm_layers`).
    output, reverse: see `RecurrentStack`, as shapes.
    layer_norm: normalise inside the recurrence.

  Reference: `LstmLayer`, `LayerNormLstmLayer`; YouTube-8M starter code, `LstmModel`;
  the WILLOW code, `LstmModel` (all states; `reverse` is its `lstm_backward`).
  """

  def __init__(self, units=1024, num_layers=2, output="last", reverse=False,
               layer_norm=False, **kwargs):
    super().__init__(units, num_layers, output, reverse, **kwargs)
    self.layer_norm = layer_norm

  def make_layer(self, name):
    layer = layer_norm_lstm.LayerNormLstmLayer if self.layer_norm else recurrent.LstmLayer
    return layer(self.units, reverse=self.reverse, name=name)

  def get_config(self):
    return {**super().get_config(), "layer_norm": self.layer_norm}
