# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NetFV."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import soft_assignment

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class FisherPooling(keras.layers.Layer):
  """Describes, for every cluster, mean and variance of the frames assigned to it.

      a_t   = softmax(BN(W x_t))                         `SoftAssignment`
      σ_dk  = s_dk² + 1e-6
      F¹_dk = Σ_t a_tk (x_td − c_dk) / σ_dk              normalised like VLAD
      F²_dk = Σ_t a_tk ((x_td − c_dk)² / σ_dk² − 1)      flattened, F² / ‖F²‖
      V     = [F¹ ; F²]

  Both sums are batched matrix products, of x and of x², as (x − c)² = x² − 2cx + c².

  Args:
    clusters: K.
    coupling: the centres are `coupling · W`; 0 gives them weights of their own.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.

  Returns:
    (batch_size, 2 · dim · K), and the intermediate `assignments`, (batch_size,
    num_frames, K).

  Reference: Perronnin & Dance 2007; Miech et al. 2017 (arXiv:1706.06905), section 3.2;
  `NetFV` of its code, WILLOW (`fv_couple_weights`, `fv_coupling_factor`).
  """

  def __init__(self, clusters=64, coupling=0.01, batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.clusters, self.coupling = clusters, coupling
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape):
    dim, normal = input_shape[-1], keras.initializers.RandomNormal
    self.output_size = 2 * dim * self.clusters
    self.assign = soft_assignment.SoftAssignment(
        self.clusters, batch_norm_decay=self.batch_norm_decay, name="assign")
    self.assign.build(input_shape)
    self.spread = self.add_weight(
        name="spread", shape=(dim, self.clusters),
        initializer=normal(mean=1.0, stddev=dim ** -0.5))
    if not self.coupling:
      self.free_centres = self.add_weight(
          name="centres", shape=(dim, self.clusters),
          initializer=normal(stddev=dim ** -0.5))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    assignments = self.assign(x, frame_mask=frame_mask, training=training)
    # float32 from here on: second moments about the mean cancel in half precision.
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
    second = tf.nn.l2_normalize(soft_assignment.flatten(second), axis=1)
    flat = tf.concat([soft_assignment.normalize_vlad(first), second], axis=1)
    return tf.cast(flat, self.compute_dtype), {"assignments": assignments}

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters,
            "coupling": self.coupling, "batch_norm_decay": self.batch_norm_decay}


@registries.AGGREGATIONS.register("netfv")
@keras.utils.register_keras_serializable(package="yt8m")
class NetFv(cluster_pooling.ClusterPooling):
  """Describes a video by mean and variance of its frames around learned clusters.

      y_t = W₁ x_t + b₁                 (projection)
      V   = Fisher(y_1, …, y_T)         (2 · projection · clusters,)
      h   = gate(W₂ V + b₂)             (units,)

  Args:
    context_gating: whether h is gated.
    remove_diagonal: whether the gate of a value ignores the value itself.
    coupling: centres are `coupling` times the weights of the assignments; 0 learns
      them apart.
    Others, and shapes: see `ClusterPooling`. The intermediate is `assignments`,
    (batch_size, num_frames, clusters).

  Reference: `FisherPooling`, `ContextGating`.
  """

  def __init__(self, clusters=64, projection=512, units=512, context_gating=True,
               coupling=0.01, input_batch_norm=False, batch_norm_decay=0.999,
               remove_diagonal=False, **kwargs):
    super().__init__(clusters, projection, units, input_batch_norm, batch_norm_decay,
                     {"gating": "context" if context_gating else "none",
                      "remove_diagonal": remove_diagonal}, **kwargs)
    self.remove_diagonal = remove_diagonal
    self.context_gating, self.coupling = context_gating, coupling

  def make_pool(self):
    return FisherPooling(self.clusters, self.coupling, self.batch_norm_decay,
                                name="pool")

  def get_config(self):
    return {**super().get_config(), "context_gating": self.context_gating,
            "coupling": self.coupling,
            "remove_diagonal": self.remove_diagonal}
