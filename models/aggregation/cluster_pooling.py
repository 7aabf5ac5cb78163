# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What NetVLAD and its relatives share: pool by clusters, then reduce."""

import tensorflow as tf

from yt8m.models.layers import batch_norm
from yt8m.models.layers import gated_dense
from yt8m.models.layers import masking

keras = tf.keras


class ClusterPooling(keras.layers.Layer):
  """Base of the aggregations that learn clusters; a subclass says which.

      x̂_t = BN(x_t)                      with `input_batch_norm`
      y_t = W x̂_t + b                    with a `projection`
      V   = pool(y_1, …, y_T)            `make_pool`
      h   = reduce(V)                    `GatedDense`, with `units`

  Args:
    clusters: K.
    projection: size to which frames are projected first; 0 takes them as they are.
    units: size of the output; 0 leaves V as it is, for a late fusion to reduce what
      all modalities have pooled.
    input_batch_norm: whether frames are normalised first.
    batch_norm_decay: of the moving averages, which lag some 1 / (1 − decay) steps
      behind the weights: shorten it, or let the learning rate fall, in short runs.
    reduction: other arguments of the `GatedDense` layer.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames do not contribute.

  Returns:
    (batch_size, units), or V without `units`, and the intermediates of the pooling.
  """

  def __init__(self, clusters, projection, units, input_batch_norm, batch_norm_decay,
               reduction, **kwargs):
    super().__init__(**kwargs)
    self.clusters, self.projection, self.units = clusters, projection, units
    self.input_batch_norm = input_batch_norm
    self.batch_norm_decay, self._reduction = batch_norm_decay, reduction

  def make_pool(self):
    """The pooling layer, with an `output_size` once it is built."""
    # A base class: each subclass pools in its own way.
    raise NotImplementedError(f"{type(self).__name__} must define make_pool.")

  def build(self, input_shape):
    dim = input_shape[-1]
    if self.input_batch_norm:
      self.input_norm = batch_norm.BatchNorm(
          decay=self.batch_norm_decay, name="input_norm")
      self.input_norm.build((None, dim))
    if self.projection:
      self.project = keras.layers.Dense(self.projection, name="project")
      self.project.build((None, dim))
      dim = self.projection
    self.pool = self.make_pool()
    self.pool.build((None, None, dim))
    if self.units:
      self.reduce = gated_dense.GatedDense(
          self.units, batch_norm_decay=self.batch_norm_decay, name="reduce",
          **self._reduction)
      self.reduce.build((None, self.pool.output_size))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    if self.input_batch_norm:
      x = self.input_norm(x, frame_mask=frame_mask, training=training)
    if self.projection:
      x = masking.zero_padding(self.project(x), frame_mask)
    x, intermediates = self.pool(x, frame_mask=frame_mask, training=training)
    if self.units:
      x = self.reduce(x, training=training)
    return x, intermediates

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters,
            "projection": self.projection, "units": self.units,
            "input_batch_norm": self.input_batch_norm,
            "batch_norm_decay": self.batch_norm_decay}
