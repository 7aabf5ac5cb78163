# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a stack of GRUs."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import recurrent_stack
from yt8m.models.layers import recurrent

keras = tf.keras


@registries.AGGREGATIONS.register("gru")
@keras.utils.register_keras_serializable(package="yt8m")
class Gru(recurrent_stack.RecurrentStack):
  """Reads the frames in order; the last state of the top layer is the video.

      h_t^n = GRU(h_t^{n−1}, h_{t−1}^n),   h_t^0 = x_t
      last: h_T^N      states: [h_T^1 ; … ; h_T^N]

  Args:
    units: size of the state of a layer.
    num_layers: N.
    output, reverse: see `RecurrentStack`, as shapes.
    reset_after: see `GruLayer`; False is the cell of the paper and of TensorFlow 1.

  Reference: `GruLayer`; the WILLOW code, `GruModel` (all states, reset before).
  """

  def __init__(self, units=1024, num_layers=2, output="last", reverse=False,
               reset_after=True, **kwargs):
    super().__init__(units, num_layers, output, reverse, **kwargs)
    self.reset_after = reset_after

  def make_layer(self, name):
    return recurrent.GruLayer(self.units, reverse=self.reverse,
                              reset_after=self.reset_after, name=name)

  def get_config(self):
    return {**super().get_config(), "reset_after": self.reset_after}
