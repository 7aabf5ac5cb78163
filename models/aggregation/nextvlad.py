# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NeXtVLAD."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import nextvlad

keras = tf.keras


@registries.AGGREGATIONS.register("nextvlad")
@keras.utils.register_keras_serializable(package="yt8m")
class NextVlad(cluster_pooling.ClusterPooling):
  """Describes a video by attended residuals of parts of its frames.

      V = NeXtVLAD(x_1, …, x_T)                  (expansion · dim · clusters / groups,)
      h = gate(BN(W dropout(V)))                 (units,), `SqueezeGating`

  Args:
    groups: parts of a frame; must divide `expansion · dim`.
    expansion: how far frames are widened before they are parted.
    dropout: share of the values of V dropped in training (0.5 in the paper).
    gating_reduction: of the gate.
    Others, and shapes: see `ClusterPooling`. The intermediate is `attention`,
    (batch_size, num_frames, groups).

  Reference: `NextVladPooling`; Lin et al. 2018 (arXiv:1811.05014), figure 3.
  """

  def __init__(self, clusters=64, groups=8, expansion=2, projection=0, units=1024,
               dropout=0.0, gating_reduction=8, input_batch_norm=False,
               batch_norm_decay=0.999, **kwargs):
    super().__init__(clusters, projection, units, input_batch_norm, batch_norm_decay,
                     {"use_batch_norm": True, "input_dropout": dropout,
                      "gating": "squeeze", "gating_reduction": gating_reduction},
                     **kwargs)
    self.groups, self.expansion, self.dropout = groups, expansion, dropout
    self.gating_reduction = gating_reduction

  def make_pool(self):
    return nextvlad.NextVladPooling(self.clusters, self.groups, self.expansion,
                                    self.batch_norm_decay, name="pool")

  def get_config(self):
    return {**super().get_config(), "groups": self.groups,
            "expansion": self.expansion, "dropout": self.dropout,
            "gating_reduction": self.gating_reduction}
