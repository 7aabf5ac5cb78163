# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What temporal aggregation by a stack of LSTMs or of GRUs has in common."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import recurrent

keras = tf.keras

OUTPUTS = ("last", "states")


class RecurrentStack(keras.layers.Layer):
  """Reads the frames in order, layer upon layer; the last states are the video.

  A subclass makes one layer in `make_layer`.

  Args:
    units: size of the state of a layer.
    num_layers: layers; each reads the outputs of the one below.
    output: `"last"`, the output of the top layer after the last frame; or
      `"states"`, the whole state of all layers.
    reverse: read the valid frames from the last to the first.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. The state stands still over padded frames.

  Returns:
    (batch_size, units); with all states (batch_size, num_layers · states · units).

  Raises:
    ValueError: an unknown output.
  """

  def __init__(self, units, num_layers, output, reverse, **kwargs):
    super().__init__(**kwargs)
    if output not in OUTPUTS:
      raise ValueError(f"Unknown output {output!r}. Valid: {', '.join(OUTPUTS)} "
                       "(--hparams).")
    self.units, self.num_layers = units, num_layers
    self.output_kind, self.reverse = output, reverse

  def make_layer(self, name):
    """Returns a new `RecurrentLayer`."""
    # A base class: each aggregation stacks cells of its own.
    raise NotImplementedError(f"{type(self).__name__} must define make_layer.")

  def build(self, input_shape):
    dim = input_shape[-1]
    self.stack = [self.make_layer(f"layer_{n}") for n in range(self.num_layers)]
    for layer in self.stack:
      layer.build((None, None, dim))
      dim = self.units
    self.built = True

  def call(self, x, frame_mask=None):
    kept = []
    for layer in self.stack:
      x, states = layer(x, frame_mask=frame_mask)
      kept.extend(reversed(states))  # the cell first, as TensorFlow 1 ordered them
    return kept[-1] if self.output_kind == "last" else tf.concat(kept, axis=-1)

  def get_config(self):
    return {**super().get_config(), "units": self.units, "num_layers": self.num_layers,
            "output": self.output_kind, "reverse": self.reverse}


@registries.AGGREGATIONS.register("lstm")
@keras.utils.register_keras_serializable(package="yt8m")
class Lstm(RecurrentStack):
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
    layer = recurrent.LayerNormLstmLayer if self.layer_norm else recurrent.LstmLayer
    return layer(self.units, reverse=self.reverse, name=name)

  def get_config(self):
    return {**super().get_config(), "layer_norm": self.layer_norm}


@registries.AGGREGATIONS.register("gru")
@keras.utils.register_keras_serializable(package="yt8m")
class Gru(RecurrentStack):
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
