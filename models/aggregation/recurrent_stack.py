# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a stack of LSTMs or of GRUs."""

import abc
from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import recurrent

OUTPUTS = ("last", "states")


class RecurrentStack(base.Layer):
  """Base of the aggregations that read the frames in order, in several layers.

  Args:
    units: Size of the state of each layer.
    num_layers: Number of layers. Each reads the outputs of the one below.
    output: `"last"`, the output of the top layer after the last frame, or `"states"`,
      all states of all layers.
    reverse: Whether the valid frames are read from the last to the first.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames do not change the state.

  Returns:
    (batch_size, units), or (batch_size, num_layers · states · units) for all states.

  Raises:
    ValueError: `output` is unknown.
  """

  def __init__(self, units: int, num_layers: int, output: str, reverse: bool,
               **kwargs: Any):
    super().__init__(**kwargs)
    if output not in OUTPUTS:
      raise registry.unknown("output", output, OUTPUTS, "Set it with --hparams.")
    self.units, self.num_layers = units, num_layers
    self._output, self.reverse = output, reverse

  @property
  def output(self) -> str:
    """The argument of the constructor. Keras uses the name in functional models only."""
    return self._output

  @abc.abstractmethod
  def make_layer(self, name: str) -> recurrent.RecurrentLayer:
    """Returns a new layer of the stack."""

  def build(self, input_shape: Any) -> None:
    sizes = [input_shape[-1]] + [self.units] * (self.num_layers - 1)
    self.stack = [base.built(self.make_layer(f"layer_{n}"), None, None, size)
                  for n, size in enumerate(sizes)]

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None) -> tf.Tensor:
    all_states = []
    for layer in self.stack:
      x, states = layer(x, frame_mask=frame_mask)
      all_states.extend(reversed(states))  # the cell first, as in TensorFlow 1
    return all_states[-1] if self.output == "last" else tf.concat(all_states, axis=-1)


@registries.AGGREGATIONS.register("lstm")
class Lstm(RecurrentStack):
  """Describes a video by the last state of a stack of LSTMs.

      h_t^n, c_t^n = LSTM(h_t^{n−1}, h_{t−1}^n, c_{t−1}^n),   h_t^0 = x_t
      last: h_T^N      states: [c_T^1 ; h_T^1 ; … ; c_T^N ; h_T^N]

  The forget bias starts at 1, the constant that `BasicLSTMCell` of the starter code
  adds. (Its gate order is i, c̃, f, o.) `RecurrentStack` describes shapes.

  Args:
    units: Size of the state of each layer (`--lstm_cells`).
    num_layers: Number of layers, N (`--lstm_layers`).
    output: `"last"` or `"states"`.
    reverse: Whether the valid frames are read from the last to the first.
    layer_norm: Whether the recurrence is normalised, as in `LayerNormLstmLayer`.

  Reference: `LstmLayer`, `LayerNormLstmLayer`; YouTube-8M starter code, `LstmModel`;
  the WILLOW code, `LstmModel` (all states; `reverse` is its `lstm_backward`).
  """

  def __init__(self, units: int = 1024, num_layers: int = 2, output: str = "last",
               reverse: bool = False, layer_norm: bool = False, **kwargs: Any):
    super().__init__(units, num_layers, output, reverse, **kwargs)
    self.layer_norm = layer_norm

  def make_layer(self, name: str) -> recurrent.RecurrentLayer:
    layer = recurrent.LayerNormLstmLayer if self.layer_norm else recurrent.LstmLayer
    return layer(self.units, reverse=self.reverse, name=name)


@registries.AGGREGATIONS.register("gru")
class Gru(RecurrentStack):
  """Describes a video by the last state of a stack of GRUs.

      h_t^n = GRU(h_t^{n−1}, h_{t−1}^n),   h_t^0 = x_t
      last: h_T^N      states: [h_T^1 ; … ; h_T^N]

  `RecurrentStack` describes shapes.

  Args:
    units: Size of the state of each layer.
    num_layers: Number of layers, N.
    output: `"last"` or `"states"`.
    reverse: Whether the valid frames are read from the last to the first.
    reset_after: Whether the reset gate acts after the product, as in `GruLayer`. False
      gives the cell of the paper and of TensorFlow 1.

  Reference: `GruLayer`; the WILLOW code, `GruModel` (all states, reset before).
  """

  def __init__(self, units: int = 1024, num_layers: int = 2, output: str = "last",
               reverse: bool = False, reset_after: bool = True, **kwargs: Any):
    super().__init__(units, num_layers, output, reverse, **kwargs)
    self.reset_after = reset_after

  def make_layer(self, name: str) -> recurrent.RecurrentLayer:
    return recurrent.GruLayer(self.units, reverse=self.reverse,
                              reset_after=self.reset_after, name=name)
