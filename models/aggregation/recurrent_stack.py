# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What temporal aggregation by a stack of LSTMs or of GRUs has in common."""

import tensorflow as tf

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
