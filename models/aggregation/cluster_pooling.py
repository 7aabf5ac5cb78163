# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The structure that NetVLAD and its relatives share: pool by clusters, then reduce."""

import abc
from typing import Any

import tensorflow as tf

from yt8m.models.layers import base
from yt8m.models.layers import batch_norm
from yt8m.models.layers import gated_dense
from yt8m.models.layers import masking

keras = tf.keras


class ClusterPooling(base.Layer):
  """Base of the aggregations that learn clusters.

      x̂_t = BN(x_t)                      with `input_batch_norm`
      y_t = W x̂_t + b                    with a `projection`
      V   = pool(y_1, …, y_T)            `make_pool`
      h   = reduce(V)                    `GatedDense`, with `units`

  Args:
    clusters: Number of clusters, K.
    projection: Size to which frames are projected first; 0 leaves them as they are.
    units: Size of the output. 0 returns V, for a late fusion that reduces the vectors
      of all modalities together.
    input_batch_norm: Whether frames are normalised first.
    batch_norm_decay: Decay of the moving averages. They lag about 1 / (1 − decay) steps
      behind the weights. In a short run, lower the decay or let the learning rate fall.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames do not contribute.

  Returns:
    (batch_size, units), or V if `units` is 0, and the intermediates of the pooling.
  """

  # Hyperparameters of the subclasses that do not override `reduction`.
  context_gating: bool
  remove_diagonal: bool

  def __init__(self, clusters: int, projection: int, units: int,
               input_batch_norm: bool = False, batch_norm_decay: float = 0.999,
               **kwargs: Any):
    super().__init__(**kwargs)
    self.clusters, self.projection, self.units = clusters, projection, units
    self.input_batch_norm = input_batch_norm
    self.batch_norm_decay = batch_norm_decay

  @abc.abstractmethod
  def make_pool(self) -> Any:
    """Returns the pooling layer, which has an `output_size` once it is built."""

  def reduction(self) -> dict[str, Any]:
    """Returns the arguments of the `GatedDense` layer that reduces V."""
    return {"gating": "context" if self.context_gating else "none",
            "remove_diagonal": self.remove_diagonal}

  def projects_sums(self, num_frames: int | None, dim: int) -> bool:
    """Whether the pooling layer is to project its sums, which it takes `project` for."""
    return False

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    if self.input_batch_norm:
      self.input_norm = base.built(
          batch_norm.BatchNorm(self.batch_norm_decay, name="input_norm"), None, dim)
    if self.projection:
      self.project = base.built(
          keras.layers.Dense(self.projection, name="project"), None, dim)
      dim = self.projection
    self.pool = base.built(self.make_pool(), None, None, dim)
    if self.units:
      self.reduce = base.built(
          gated_dense.GatedDense(
              self.units, batch_norm_decay=self.batch_norm_decay, name="reduce",
              **self.reduction()), None, self.pool.output_size)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    if self.input_batch_norm:
      x = self.input_norm(x, frame_mask=frame_mask, training=training)
    arguments = {}
    if self.projection and self.projects_sums(x.shape[1], x.shape[2]):
      arguments["project"] = self.project
    elif self.projection:
      x = masking.zero_padding(self.project(x), frame_mask)
    x, intermediates = self.pool(
        x, frame_mask=frame_mask, training=training, **arguments)
    if self.units:
      x = self.reduce(x, training=training)
    return x, intermediates
