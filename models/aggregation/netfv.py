# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NetFV: Fisher vectors of frames around learned clusters."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import base
from yt8m.models.layers import soft_assignment

keras = tf.keras


class FisherPooling(base.Layer):
  """Describes the mean and the variance of the frames assigned to each cluster.

      a_t   = softmax(BN(W x_t))                         `SoftAssignment`
      σ_dk  = s_dk² + 1e-6
      F¹_dk = Σ_t a_tk (x_td − c_dk) / σ_dk              normalised like VLAD
      F²_dk = Σ_t a_tk ((x_td − c_dk)² / σ_dk² − 1)      flattened, F² / ‖F²‖
      V     = [F¹ ; F²]

  Both sums are batched matrix products, of x and of x², as (x − c)² = x² − 2cx + c².

  Args:
    clusters: Number of clusters, K.
    coupling: Factor that makes the centres `coupling · W`; 0 gives them weights of their
      own.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.

  Returns:
    (batch_size, 2 · dim · K), and the intermediate `assignments`, (batch_size,
    num_frames, K).

  Reference: Perronnin & Dance 2007; Miech et al. 2017 (arXiv:1706.06905), and `NetFV` of
  its code, WILLOW (`fv_couple_weights`, `fv_coupling_factor`).
  """

  def __init__(self, clusters: int = 64, coupling: float = 0.01,
               batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    self.clusters, self.coupling = clusters, coupling
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim, normal = input_shape[-1], keras.initializers.RandomNormal
    self.output_size = 2 * dim * self.clusters
    self.assign = base.built(
        soft_assignment.SoftAssignment(
            self.clusters, batch_norm_decay=self.batch_norm_decay, name="assign"),
        None, None, dim)
    self.spread = self.add_weight(
        name="spread", shape=(dim, self.clusters),
        initializer=normal(mean=1.0, stddev=dim ** -0.5))
    if not self.coupling:
      self.free_centres = self.add_weight(
          name="centres", shape=(dim, self.clusters),
          initializer=normal(stddev=dim ** -0.5))

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    assignments = self.assign(x, frame_mask=frame_mask, training=training)
    # float32, since second moments about the mean lose their digits in half precision.
    x = tf.cast(x, tf.float32)
    mass = tf.reduce_sum(assignments, axis=1)[:, tf.newaxis, :]
    sums = soft_assignment.sum_by_cluster(x, assignments)
    squares = soft_assignment.sum_by_cluster(tf.square(x), assignments)
    centres = (self.coupling * tf.cast(self.assign.score.kernel, tf.float32)
               if self.coupling else tf.cast(self.free_centres, tf.float32))
    deviation = tf.square(tf.cast(self.spread, tf.float32)) + 1e-6
    first = soft_assignment.subtract_centres(sums, assignments, centres) / deviation
    second = squares - 2.0 * centres * sums + mass * tf.square(centres)
    second = second / tf.square(deviation) - mass
    second = soft_assignment.unit_length(soft_assignment.flatten(second))
    flat = tf.concat([soft_assignment.normalize_vlad(first), second], axis=1)
    return tf.cast(flat, self.compute_dtype), {"assignments": assignments}


@registries.AGGREGATIONS.register("netfv")
class NetFv(cluster_pooling.ClusterPooling):
  """Describes a video by the mean and variance of its frames around learned clusters.

      y_t = W₁ x_t + b₁                 (projection)
      V   = Fisher(y_1, …, y_T)         (2 · projection · clusters,)
      h   = gate(W₂ V + b₂)             (units,)

  `ClusterPooling` describes shapes and the other arguments. The intermediate is
  `assignments`, (batch_size, num_frames, clusters).

  Args:
    context_gating: Whether h is gated.
    coupling: Factor that makes the centres `coupling` times the weights of the
      assignments; 0 learns them separately.
    remove_diagonal: Whether the gate of a value ignores the value itself.

  Reference: `FisherPooling`, `ContextGating`.
  """

  def __init__(self, clusters: int = 64, projection: int = 512, units: int = 512,
               context_gating: bool = True, coupling: float = 0.01,
               remove_diagonal: bool = False, **kwargs: Any):
    super().__init__(clusters, projection, units, **kwargs)
    self.context_gating, self.coupling = context_gating, coupling
    self.remove_diagonal = remove_diagonal

  def make_pool(self) -> FisherPooling:
    return FisherPooling(self.clusters, self.coupling, self.batch_norm_decay, name="pool")
