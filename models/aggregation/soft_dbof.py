# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a soft bag of frames."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import gating
from yt8m.models.layers import soft_assignment

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class SoftBagPooling(keras.layers.Layer):
  """Counts the frames of every cluster, a frame counting for several in part.

      a_t = softmax(BN(W x_t))                                     `SoftAssignment`
      n   = Σ_t a_t,   m = max_t a_t / ‖max_t a_t‖
      plain:     V = n / ‖n‖
      max_pool:  V = [n / ‖n‖ ; m]
      gated:     V = n ⊙ gate / ‖n ⊙ gate‖,   gate = σ(BN(W₂ W₁ m)), W₁ to `dim` values

  Args:
    clusters: K.
    max_pool: whether V also has the maxima.
    gated: whether the maxima gate the counts; not with `max_pool`.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.

  Returns:
    (batch_size, K), with `max_pool` (batch_size, 2 K), and the intermediate
    `assignments`, (batch_size, num_frames, K).

  Raises:
    ValueError: `max_pool` and `gated` together.

  Reference: Miech et al. 2017 (arXiv:1706.06905), section 3.2 (Soft-DBoW); `SoftDBoF`
  and `GatedDBoF` of its code, WILLOW.
  """

  def __init__(self, clusters, max_pool=False, gated=False, batch_norm_decay=0.999,
               **kwargs):
    super().__init__(**kwargs)
    if max_pool and gated:
      raise ValueError("max_pool=True and gated=True exclude each other: the maxima "
                       "gate the counts or stand beside them (--hparams).")
    self.clusters, self.max_pool, self.gated = clusters, max_pool, gated
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape):
    self.output_size = self.clusters * (2 if self.max_pool else 1)
    self.assign = soft_assignment.SoftAssignment(
        self.clusters, batch_norm_decay=self.batch_norm_decay, name="assign")
    self.assign.build(input_shape)
    if self.gated:
      self.gate = gating.ContextGating(
          rank=input_shape[-1], batch_norm_decay=self.batch_norm_decay,
          dtype="float32", name="gate")
      self.gate.build((None, self.clusters))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    assignments = self.assign(x, frame_mask=frame_mask, training=training)
    counts = tf.reduce_sum(assignments, axis=1)
    # Assignments are positive, those of padded frames 0: these never are the maximum.
    maxima = tf.nn.l2_normalize(tf.reduce_max(assignments, axis=1), axis=1)
    if self.gated:
      counts = self.gate(counts, context=maxima, training=training)
    pooled = tf.nn.l2_normalize(counts, axis=1)
    if self.max_pool:
      pooled = tf.concat([pooled, maxima], axis=1)
    return tf.cast(pooled, self.compute_dtype), {"assignments": assignments}

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters,
            "max_pool": self.max_pool, "gated": self.gated,
            "batch_norm_decay": self.batch_norm_decay}


@registries.AGGREGATIONS.register("soft_dbof")
@keras.utils.register_keras_serializable(package="yt8m")
class SoftBagOfFrames(cluster_pooling.ClusterPooling):
  """Describes a video by how much of it belongs to each of many clusters.

      V = bag(BN(x_1), …, BN(x_T))          (clusters,), counts of soft assignments
      h = gate(φ(BN(W V)))                  (units,)

  Where `DeepBagOfFrames` activates clusters one by one, here they compete for frames.

  Args:
    max_pool: whether V also has the maxima over frames.
    gated: whether the maxima gate the counts (GatedDBoF).
    activation: φ, any Keras activation.
    context_gating: whether h is gated.
    remove_diagonal: whether the gate of a value ignores the value itself.
    Others, and shapes: see `ClusterPooling`, `SoftBagPooling`. The intermediate is
    `assignments`, (batch_size, num_frames, clusters).

  Reference: `SoftBagPooling`; `SoftDbofModelLF` and `GatedDbofModelLF` of WILLOW.
  """

  def __init__(self, clusters=8192, projection=0, units=1024, max_pool=False,
               gated=False, activation="relu6", input_batch_norm=True,
               batch_norm_decay=0.999, context_gating=False, remove_diagonal=False,
               **kwargs):
    super().__init__(clusters, projection, units, input_batch_norm, batch_norm_decay,
                     {"activation": activation, "use_batch_norm": True,
                      "gating": "context" if context_gating else "none",
                      "remove_diagonal": remove_diagonal}, **kwargs)
    self.max_pool, self.gated, self.activation = max_pool, gated, activation
    self.context_gating, self.remove_diagonal = context_gating, remove_diagonal

  def make_pool(self):
    return SoftBagPooling(self.clusters, self.max_pool, self.gated,
                                   self.batch_norm_decay, name="pool")

  def get_config(self):
    return {**super().get_config(), "max_pool": self.max_pool, "gated": self.gated,
            "activation": self.activation, "context_gating": self.context_gating,
            "remove_diagonal": self.remove_diagonal}
