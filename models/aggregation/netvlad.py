# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NetVLAD."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import vlad

keras = tf.keras


@registries.AGGREGATIONS.register("netvlad")
@keras.utils.register_keras_serializable(package="yt8m")
class NetVlad(cluster_pooling.ClusterPooling):
  """Describes a video by the residuals of its frames to learned clusters.

      y_t = W₁ x_t + b₁                 (projection)
      V   = VLAD(y_1, …, y_T)           (projection · clusters,)
      h   = gate(W₂ V + b₂)             (units,)

  Args:
    residuals: `"centres"` (NetVLAD), `"none"` (NetRVLAD, known as LightVLAD) or
      `"gated"` (NetVLAGD), see `VladPooling`.
    context_gating: whether h is gated.
    remove_diagonal: whether the gate of a value ignores the value itself.
    Others, and shapes: see `ClusterPooling`. The intermediate is `assignments`,
    (batch_size, num_frames, clusters).

  Reference: `VladPooling`, `ContextGating`.
  """

  def __init__(self, clusters=64, projection=512, units=512, context_gating=True,
               residuals="centres", input_batch_norm=False, batch_norm_decay=0.999,
               remove_diagonal=False, **kwargs):
    super().__init__(clusters, projection, units, input_batch_norm, batch_norm_decay,
                     {"gating": "context" if context_gating else "none",
                      "remove_diagonal": remove_diagonal}, **kwargs)
    self.remove_diagonal = remove_diagonal
    self.context_gating, self.residuals = context_gating, residuals

  def make_pool(self):
    return vlad.VladPooling(self.clusters, self.residuals,
                            batch_norm_decay=self.batch_norm_decay, name="pool")

  def get_config(self):
    return {**super().get_config(), "context_gating": self.context_gating,
            "residuals": self.residuals,
            "remove_diagonal": self.remove_diagonal}
