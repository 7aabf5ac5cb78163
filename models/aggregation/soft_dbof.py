# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a soft bag of frames."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import soft_bag

keras = tf.keras


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
    return soft_bag.SoftBagPooling(self.clusters, self.max_pool, self.gated,
                                   self.batch_norm_decay, name="pool")

  def get_config(self):
    return {**super().get_config(), "max_pool": self.max_pool, "gated": self.gated,
            "activation": self.activation, "context_gating": self.context_gating,
            "remove_diagonal": self.remove_diagonal}
