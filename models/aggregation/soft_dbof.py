# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a soft bag of frames: counts of soft assignments."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import base
from yt8m.models.layers import gating
from yt8m.models.layers import soft_assignment


class SoftBagPooling(base.Layer):
  """Counts the frames of every cluster. A frame counts for several clusters in part.

      a_t = softmax(BN(W x_t))                                     `SoftAssignment`
      n   = Σ_t a_t,   m = max_t a_t / ‖max_t a_t‖
      plain:     V = n / ‖n‖
      max_pool:  V = [n / ‖n‖ ; m]
      gated:     V = n ⊙ gate / ‖n ⊙ gate‖,   gate = σ(BN(W₂ W₁ m)), W₁ m has size dim

  Args:
    clusters: Number of clusters, K.
    max_pool: Whether the maxima are appended to V.
    gated: Whether the maxima gate the counts. It excludes `max_pool`.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.

  Returns:
    (batch_size, K), or (batch_size, 2 K) with `max_pool`, and the intermediate
    `assignments`, (batch_size, num_frames, K).

  Raises:
    ValueError: Both `max_pool` and `gated` are set.

  Reference: Miech et al. 2017 (arXiv:1706.06905), Soft-DBoW; `SoftDBoF` and `GatedDBoF`
  of its code, WILLOW.
  """

  def __init__(self, clusters: int, max_pool: bool = False, gated: bool = False,
               batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    if max_pool and gated:
      raise ValueError("max_pool=True and gated=True exclude each other: the maxima "
                       "either gate the counts or are appended to them (--hparams).")
    self.clusters, self.max_pool, self.gated = clusters, max_pool, gated
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self.output_size = self.clusters * (2 if self.max_pool else 1)
    self.assign = base.built(
        soft_assignment.SoftAssignment(
            self.clusters, batch_norm_decay=self.batch_norm_decay, name="assign"),
        None, None, dim)
    if self.gated:
      self.gate = base.built(
          gating.ContextGating(rank=dim, batch_norm_decay=self.batch_norm_decay,
                               dtype="float32", name="gate"), None, self.clusters)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    assignments = self.assign(x, frame_mask=frame_mask, training=training)
    counts = tf.reduce_sum(assignments, axis=1)
    # Assignments are positive, and 0 for padded frames, which are thus never the maximum.
    maxima = tf.nn.l2_normalize(tf.reduce_max(assignments, axis=1), axis=1)
    if self.gated:
      counts = self.gate(counts, context=maxima, training=training)
    pooled = tf.nn.l2_normalize(counts, axis=1)
    if self.max_pool:
      pooled = tf.concat([pooled, maxima], axis=1)
    return tf.cast(pooled, self.compute_dtype), {"assignments": assignments}


@registries.AGGREGATIONS.register("soft_dbof")
class SoftBagOfFrames(cluster_pooling.ClusterPooling):
  """Describes a video by how much of it belongs to each of many clusters.

      V = bag(BN(x_1), …, BN(x_T))          (clusters,), counts of soft assignments
      h = gate(φ(BN(W V)))                  (units,)

  In `DeepBagOfFrames` the clusters are independent; here they compete for the frames.
  `ClusterPooling` and `SoftBagPooling` describe shapes and the other arguments. The
  intermediate is `assignments`, (batch_size, num_frames, clusters).

  Args:
    max_pool: Whether the maxima over frames are appended to V.
    gated: Whether the maxima gate the counts (GatedDBoF).
    activation: Keras name of the activation φ.
    context_gating: Whether h is gated.
    remove_diagonal: Whether the gate of a value ignores the value itself.

  Reference: `SoftBagPooling`; `SoftDbofModelLF` and `GatedDbofModelLF` of WILLOW.
  """

  def __init__(self, clusters: int = 8192, projection: int = 0, units: int = 1024,
               max_pool: bool = False, gated: bool = False, activation: str = "relu6", *,
               input_batch_norm: bool = True, context_gating: bool = False,
               remove_diagonal: bool = False, **kwargs: Any):
    super().__init__(clusters, projection, units, input_batch_norm, **kwargs)
    self.max_pool, self.gated, self.activation = max_pool, gated, activation
    self.context_gating, self.remove_diagonal = context_gating, remove_diagonal

  def make_pool(self) -> SoftBagPooling:
    return SoftBagPooling(self.clusters, self.max_pool, self.gated,
                          self.batch_norm_decay, name="pool")

  def reduction(self) -> dict[str, Any]:
    return {**super().reduction(), "activation": self.activation,
            "use_batch_norm": True}
