# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by bidirectional LSTMs with skip connections."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import gating
from yt8m.models.layers import masking
from yt8m.models.layers import recurrent

keras = tf.keras


class ResidualBlstmLayer(base.Layer):
  """Adds a projection of both directions of an LSTM to each frame.

      y_t = LN(x_t + W dropout([h→_t ; h←_t]) + b)

  Args:
    units: Size of the state of each direction.
    skip: Whether x_t is added.
    layer_norm: Whether the sum is normalised. If not, LN is left out.
    dropout: Share of the states that are dropped in training.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames are not read.

  Returns:
    (batch_size, num_frames, dim), with arbitrary values at padded frames.

  Reference: He et al. 2016 (arXiv:1512.03385), for the skip connection;
  `Bidirectional`.
  """

  def __init__(self, units: int, skip: bool = True, layer_norm: bool = False,
               dropout: float = 0.0, **kwargs: Any):
    super().__init__(**kwargs)
    self.units, self.skip = units, skip
    self.layer_norm, self.dropout = layer_norm, dropout

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self.both = base.built(
        recurrent.Bidirectional(self.units, name="both"), None, None, dim)
    self.drop = keras.layers.Dropout(self.dropout, name="drop")
    self.project = base.built(
        keras.layers.Dense(dim, name="project"), None, 2 * self.units)
    if self.layer_norm:
      self.norm = base.built(
          keras.layers.LayerNormalization(name="norm"), None, None, dim)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    states, _ = self.both(x, frame_mask=frame_mask)
    return self._add(x, self.drop(states, training=training))

  def _add(self, x: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
    y = self.project(states)
    if self.skip:
      y += x
    return self.norm(y) if self.layer_norm else y

  def mean(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    """Returns the mean of y_t over the valid frames, (batch_size, dim).

    Without LN, the mean of the projections is the projection of the mean: one vector of
    a video is projected, instead of one of each frame.
    """
    if self.layer_norm:
      return masking.masked_mean(
          self(x, frame_mask=frame_mask, training=training), frame_mask)
    states, _ = self.both(x, frame_mask=frame_mask)
    states = self.drop(states, training=training)
    y = self._add(masking.masked_mean(x, frame_mask),
                  masking.masked_mean(states, frame_mask))
    if frame_mask is None:
      return y
    there = tf.cast(tf.reduce_any(frame_mask, axis=1, keepdims=True), y.dtype)
    return y * there


@registries.AGGREGATIONS.register("blstm")
class Blstm(base.Layer):
  """Averages the frames after residual BLSTM layers have added their context.

      x_t^n = x_t^{n−1} + W [h→_t ; h←_t] + b,   n = 1, …, N
      h = gate(Σ_t m_t x_t^N / Σ_t m_t)

  Frames keep their size, so it is also the size of the output.

  Args:
    units: Size of the state of each direction.
    num_layers: Number of layers, N; one to three in practice.
    skip: Whether each layer adds its input, as in `ResidualBlstmLayer`.
    layer_norm: Whether each layer normalises its output.
    dropout: Share of the states that are dropped in training.
    context_gating: Whether h is gated.
    batch_norm_decay: Decay of the moving averages of the gate, as in `ClusterPooling`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames are neither read nor
      averaged.

  Returns:
    (batch_size, dim).

  Reference: `ResidualBlstmLayer`, `ContextGating`.
  """

  def __init__(self, units: int = 1024, num_layers: int = 1, skip: bool = True,
               layer_norm: bool = False, dropout: float = 0.0,
               context_gating: bool = False, *, batch_norm_decay: float = 0.999,
               **kwargs: Any):
    super().__init__(**kwargs)
    self.units, self.num_layers, self.skip = units, num_layers, skip
    self.layer_norm, self.dropout = layer_norm, dropout
    self.context_gating, self.batch_norm_decay = context_gating, batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self.stack = [
        base.built(ResidualBlstmLayer(self.units, self.skip, self.layer_norm,
                                      self.dropout, name=f"layer_{n}"), None, None, dim)
        for n in range(self.num_layers)]
    if self.context_gating:
      self.gate = base.built(
          gating.ContextGating(batch_norm_decay=self.batch_norm_decay, name="gate"),
          None, dim)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    for layer in self.stack[:-1]:
      x = layer(x, frame_mask=frame_mask, training=training)
    h = self.stack[-1].mean(x, frame_mask=frame_mask, training=training)
    return self.gate(h, training=training) if self.context_gating else h
