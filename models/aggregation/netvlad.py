# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NetVLAD."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import gating
from yt8m.models.layers import masking
from yt8m.models.layers import vlad

keras = tf.keras


@registries.AGGREGATIONS.register("netvlad")
@keras.utils.register_keras_serializable(package="yt8m")
class NetVlad(keras.layers.Layer):
  """Describes a video by the residuals of its frames to learned clusters.

      y_t = W₁ x_t + b₁                 (projection)
      V   = VLAD(y_1, …, y_T)           (projection · clusters,)
      h   = gate(W₂ V + b₂)             (units,)

  Args:
    clusters: K.
    projection: size to which frames are projected first; 0 takes them as they are.
    units: size of the output.
    context_gating: whether h is gated.
    batch_norm_decay: of the moving averages, which lag some 1 / (1 − decay) steps
      behind the weights: shorten it, or let the learning rate fall, in short runs.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames do not contribute.

  Returns:
    (batch_size, units), and the intermediate `assignments`, (batch_size, num_frames,
    clusters).

  Reference: `VladPooling`, `ContextGating`.
  """

  def __init__(self, clusters=64, projection=512, units=512, context_gating=True,
               batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.clusters, self.projection, self.units = clusters, projection, units
    self.context_gating, self.batch_norm_decay = context_gating, batch_norm_decay

  def build(self, input_shape):
    dim = input_shape[-1]
    if self.projection:
      self.project = keras.layers.Dense(self.projection, name="project")
      self.project.build((None, dim))
      dim = self.projection
    self.pool = vlad.VladPooling(
        self.clusters, batch_norm_decay=self.batch_norm_decay, name="pool")
    self.pool.build((None, None, dim))
    self.reduce = keras.layers.Dense(self.units, name="reduce")
    self.reduce.build((None, dim * self.clusters))
    if self.context_gating:
      self.gate = gating.ContextGating(
          batch_norm_decay=self.batch_norm_decay, name="gate")
      self.gate.build((None, self.units))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    if self.projection:
      x = masking.zero_padding(self.project(x), frame_mask)
    pooled, intermediates = self.pool(x, frame_mask=frame_mask, training=training)
    h = self.reduce(pooled)
    if self.context_gating:
      h = self.gate(h, training=training)
    return h, intermediates

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters,
            "projection": self.projection, "units": self.units,
            "context_gating": self.context_gating,
            "batch_norm_decay": self.batch_norm_decay}
