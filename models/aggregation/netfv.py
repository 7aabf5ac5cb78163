# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NetFV."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import fisher

keras = tf.keras


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
    return fisher.FisherPooling(self.clusters, self.coupling, self.batch_norm_decay,
                                name="pool")

  def get_config(self):
    return {**super().get_config(), "context_gating": self.context_gating,
            "coupling": self.coupling,
            "remove_diagonal": self.remove_diagonal}
