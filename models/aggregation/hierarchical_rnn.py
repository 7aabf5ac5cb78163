# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a hierarchical RNN."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import recurrent

keras = tf.keras


@registries.AGGREGATIONS.register("hierarchical_rnn")
@keras.utils.register_keras_serializable(package="yt8m")
class HierarchicalRnn(keras.layers.Layer):
  """One LSTM reads the frames of each chunk, another the chunks.

      v_k = last h of LSTM₁(x_{kS}, …, x_{kS+S−1})      for chunks k of S frames
      h = last h of LSTM₂(v_0, v_1, …)

  All chunks of all videos are one batch to LSTM₁: a gradient crosses S + T / S steps
  instead of T. The last chunk of a video may be shorter.

  Args:
    units: cells of each LSTM.
    chunk_size: S, frames.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. The states stand still over padded
      frames, and over chunks of nothing else.

  Returns:
    (batch_size, units).

  Reference: Pan et al. 2016 (arXiv:1511.03476); `LstmLayer`.
  """

  def __init__(self, units=1024, chunk_size=15, **kwargs):
    super().__init__(**kwargs)
    self.units, self.chunk_size = units, chunk_size

  def build(self, input_shape):
    dim = input_shape[-1]
    self.read_frames = recurrent.LstmLayer(self.units, name="read_frames")
    self.read_frames.build((None, self.chunk_size, dim))
    self.read_chunks = recurrent.LstmLayer(self.units, name="read_chunks")
    self.read_chunks.build((None, None, self.units))
    self.built = True

  def call(self, x, frame_mask=None):
    shape = tf.shape(x)
    if frame_mask is None:
      frame_mask = tf.ones(shape[:2], tf.bool)
    missing = -shape[1] % self.chunk_size
    chunks = -(-shape[1] // self.chunk_size)
    x = tf.pad(x, [[0, 0], [0, missing], [0, 0]])
    frame_mask = tf.pad(frame_mask, [[0, 0], [0, missing]])
    x = tf.reshape(x, [shape[0] * chunks, self.chunk_size, x.shape[-1]])
    frame_mask = tf.reshape(frame_mask, [shape[0] * chunks, self.chunk_size])
    _, (vectors, _) = self.read_frames(x, frame_mask=frame_mask)
    vectors = tf.reshape(vectors, [shape[0], chunks, self.units])
    filled = tf.reshape(tf.reduce_any(frame_mask, axis=1), [shape[0], chunks])
    _, (h, _) = self.read_chunks(vectors, frame_mask=filled)
    return h

  def get_config(self):
    return {**super().get_config(), "units": self.units, "chunk_size": self.chunk_size}
