# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a hierarchical RNN."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import recurrent


@registries.AGGREGATIONS.register("hierarchical_rnn")
class HierarchicalRnn(base.Layer):
  """Reads the frames of each chunk with one LSTM, and the chunks with another.

      v_k = last h of LSTM₁(x_{kS}, …, x_{kS+S−1})      for chunks k of S frames
      h = last h of LSTM₂(v_0, v_1, …)

  LSTM₁ reads all chunks of all videos as one batch. A gradient passes through S + T / S
  steps instead of T. The last chunk of a video may be shorter.

  Args:
    units: Size of the state of each LSTM.
    chunk_size: Number of frames in a chunk, S.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames, and chunks of padding
      alone, do not change the states.

  Returns:
    (batch_size, units).

  Reference: Pan et al. 2016 (arXiv:1511.03476); `LstmLayer`.
  """

  def __init__(self, units: int = 1024, chunk_size: int = 15, **kwargs: Any):
    super().__init__(**kwargs)
    self.units, self.chunk_size = units, chunk_size

  def build(self, input_shape: Any) -> None:
    self.read_frames = base.built(
        recurrent.LstmLayer(self.units, name="read_frames"),
        None, self.chunk_size, input_shape[-1])
    self.read_chunks = base.built(
        recurrent.LstmLayer(self.units, name="read_chunks"), None, None, self.units)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None) -> tf.Tensor:
    shape = tf.shape(x)
    if frame_mask is None:
      frame_mask = tf.ones(shape[:2], tf.bool)
    chunks = -(-shape[1] // self.chunk_size)
    missing = chunks * self.chunk_size - shape[1]
    paddings = tf.convert_to_tensor([[0, 0], [0, missing], [0, 0]])
    x, frame_mask = tf.pad(x, paddings), tf.pad(frame_mask, paddings[:2])
    x = tf.reshape(x, [shape[0] * chunks, self.chunk_size, x.shape[-1]])
    frame_mask = tf.reshape(frame_mask, [shape[0] * chunks, self.chunk_size])
    _, (vectors, _) = self.read_frames(x, frame_mask=frame_mask)
    vectors = tf.reshape(vectors, [shape[0], chunks, self.units])
    filled = tf.reshape(tf.reduce_any(frame_mask, axis=1), [shape[0], chunks])
    _, (h, _) = self.read_chunks(vectors, frame_mask=filled)
    return h
