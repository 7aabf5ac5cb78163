# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by bidirectional LSTMs with skip connections."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import gating
from yt8m.models.layers import masking
from yt8m.models.layers import recurrent

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class ResidualBlstmLayer(keras.layers.Layer):
  """Adds to each frame what both directions say of it.

      y_t = LN(x_t + W dropout([h→_t ; h←_t]) + b)

  Args:
    units: H, a direction.
    skip: whether x_t is added.
    layer_norm: whether the sum is normalised; else LN is left out.
    dropout: share of the states dropped in training.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames are not read.

  Returns:
    (batch_size, num_frames, dim); what is at padded frames means nothing.

  Reference: He et al. 2016 (arXiv:1512.03385), for the skip connection; `Bidirectional`.
  """

  def __init__(self, units, skip=True, layer_norm=False, dropout=0.0, **kwargs):
    super().__init__(**kwargs)
    self.units, self.skip = units, skip
    self.layer_norm, self.dropout = layer_norm, dropout

  def build(self, input_shape):
    dim = input_shape[-1]
    self.both = recurrent.Bidirectional(self.units, name="both")
    self.both.build((None, None, dim))
    self.drop = keras.layers.Dropout(self.dropout, name="drop")
    self.project = keras.layers.Dense(dim, name="project")
    self.project.build((None, 2 * self.units))
    if self.layer_norm:
      self.norm = keras.layers.LayerNormalization(name="norm")
      self.norm.build((None, None, dim))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    states, _ = self.both(x, frame_mask=frame_mask)
    y = self.project(self.drop(states, training=training))
    if self.skip:
      y += x
    return self.norm(y) if self.layer_norm else y

  def get_config(self):
    return {**super().get_config(), "units": self.units, "skip": self.skip,
            "layer_norm": self.layer_norm, "dropout": self.dropout}


@registries.AGGREGATIONS.register("blstm")
@keras.utils.register_keras_serializable(package="yt8m")
class Blstm(keras.layers.Layer):
  """Averages frames that know what comes before and after them.

      x_t^n = x_t^{n−1} + W [h→_t ; h←_t] + b,   n = 1, …, N
      h = gate(Σ_t m_t x_t^N / Σ_t m_t)

  The skip connection keeps the dimension of the frames: so does the output.

  Args:
    units: cells a direction.
    num_layers: N, one to three in practice.
    skip, layer_norm, dropout: see `ResidualBlstmLayer`.
    context_gating: whether h is gated.
    batch_norm_decay: of the gate's moving averages, see `NetVlad`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames are neither read nor
      averaged.

  Returns:
    (batch_size, dim).

  Reference: `ResidualBlstmLayer`, `ContextGating`.
  """

  def __init__(self, units=1024, num_layers=1, skip=True, layer_norm=False,
               dropout=0.0, context_gating=False, batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.units, self.num_layers, self.skip = units, num_layers, skip
    self.layer_norm, self.dropout = layer_norm, dropout
    self.context_gating, self.batch_norm_decay = context_gating, batch_norm_decay

  def build(self, input_shape):
    dim = input_shape[-1]
    self.stack = [
        ResidualBlstmLayer(self.units, self.skip, self.layer_norm, self.dropout,
                           name=f"layer_{n}") for n in range(self.num_layers)]
    for layer in self.stack:
      layer.build((None, None, dim))
    if self.context_gating:
      self.gate = gating.ContextGating(
          batch_norm_decay=self.batch_norm_decay, name="gate")
      self.gate.build((None, dim))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    for layer in self.stack:
      x = layer(x, frame_mask=frame_mask, training=training)
    h = masking.masked_mean(x, frame_mask)
    return self.gate(h, training=training) if self.context_gating else h

  def get_config(self):
    return {**super().get_config(), "units": self.units,
            "num_layers": self.num_layers, "skip": self.skip,
            "layer_norm": self.layer_norm, "dropout": self.dropout,
            "context_gating": self.context_gating,
            "batch_norm_decay": self.batch_norm_decay}
