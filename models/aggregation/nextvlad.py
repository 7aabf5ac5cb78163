# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NeXtVLAD: VLAD of the low-dimensional parts of frames."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import base
from yt8m.models.layers import batch_norm
from yt8m.models.layers import soft_assignment

keras = tf.keras


class NextVladPooling(base.Layer):
  """Pools the parts of every frame into one set of small clusters.

      y_t  = W x_t + b                              (λ D,), split into G parts y_tg
      a_tg = softmax(BN(W_g y_t))                   (K,), `SoftAssignment`
      α_t  = σ(W_α y_t + b_α)                       (G,), attention of the parts
      V_dk = Σ_t Σ_g α_tg a_tgk (y_tgd − c_dk)      (λ D / G, K)
      V ← BN(V / ‖V_·k‖), flattened

  The G parts share the centres, so V has λ / G times the size of that of NetVLAD. Batch
  normalisation replaces the second normalisation of NetVLAD.

  Args:
    clusters: Number of clusters, K.
    groups: Number of parts, G; a divisor of λ D.
    expansion: Factor by which frames are widened, λ.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim), D = dim.
    frame_mask: (batch_size, num_frames), bool. Padded frames have attention 0 and do not
      contribute to the batch statistics.

  Returns:
    (batch_size, λ D K / G), and the intermediate `attention`, (batch_size, num_frames,
    G).

  Raises:
    ValueError: `groups` does not divide the expanded size.

  Reference: Lin et al. 2018 (arXiv:1811.05014), section 3.2.
  """

  def __init__(self, clusters: int = 64, groups: int = 8, expansion: int = 2,
               batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    self.clusters, self.groups, self.expansion = clusters, groups, expansion
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim, expanded = input_shape[-1], self.expansion * input_shape[-1]
    if expanded % self.groups:
      raise ValueError(
          f"{self.groups} groups do not divide {expanded}, which is {self.expansion} "
          f"times the frame size {dim}: change groups or expansion (--hparams).")
    part = expanded // self.groups
    self.output_size = part * self.clusters
    scaled = keras.initializers.VarianceScaling
    self.expand = base.built(
        keras.layers.Dense(expanded, name="expand", kernel_initializer=scaled(2.0)),
        None, dim)
    self.attend = base.built(
        keras.layers.Dense(self.groups, name="attend", kernel_initializer=scaled(2.0)),
        None, expanded)
    self.assign = base.built(
        soft_assignment.SoftAssignment(
            self.clusters, self.groups, batch_norm_decay=self.batch_norm_decay,
            name="assign"), None, None, expanded)
    self.centres = self.add_weight(
        name="centres", shape=(part, self.clusters), initializer=scaled(2.0))
    self.norm = base.built(batch_norm.BatchNorm(self.batch_norm_decay, name="norm"),
                           None, self.output_size)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    y, num_parts = self.expand(x), tf.shape(x)[1] * self.groups
    attention = tf.sigmoid(tf.cast(self.attend(y), tf.float32))
    if frame_mask is not None:
      attention *= tf.expand_dims(tf.cast(frame_mask, tf.float32), -1)
    weights = self.assign(y, frame_mask=frame_mask, training=training)
    weights *= tf.reshape(attention, [-1, num_parts, 1])
    parts = tf.reshape(y, [-1, num_parts, self.output_size // self.clusters])
    sums = soft_assignment.sum_by_cluster(parts, weights)
    sums = soft_assignment.subtract_centres(sums, weights, self.centres)
    flat = soft_assignment.flatten(soft_assignment.unit_length(sums))
    flat = self.norm(flat, training=training)
    return tf.cast(flat, self.compute_dtype), {"attention": attention}


@registries.AGGREGATIONS.register("nextvlad")
class NextVlad(cluster_pooling.ClusterPooling):
  """Describes a video by attended residuals of the parts of its frames.

      V = NeXtVLAD(x_1, …, x_T)                  (expansion · dim · clusters / groups,)
      h = gate(BN(W dropout(V)))                 (units,), `SqueezeGating`

  `ClusterPooling` describes shapes and the other arguments. The intermediate is
  `attention`, (batch_size, num_frames, groups).

  Args:
    groups: Number of parts of a frame, a divisor of `expansion · dim`.
    expansion: Factor by which frames are widened before they are split.
    dropout: Share of the values of V that are dropped in training; 0.5 in the paper.
    gating_reduction: Reduction of the gate.

  Reference: `NextVladPooling`; Lin et al. 2018 (arXiv:1811.05014), figure 3.
  """

  def __init__(self, clusters: int = 64, groups: int = 8, expansion: int = 2,
               projection: int = 0, units: int = 1024, dropout: float = 0.0, *,
               gating_reduction: int = 8, **kwargs: Any):
    super().__init__(clusters, projection, units, **kwargs)
    self.groups, self.expansion, self.dropout = groups, expansion, dropout
    self.gating_reduction = gating_reduction

  def make_pool(self) -> NextVladPooling:
    return NextVladPooling(self.clusters, self.groups, self.expansion,
                           self.batch_norm_decay, name="pool")

  def reduction(self) -> dict[str, Any]:
    return {"use_batch_norm": True, "input_dropout": self.dropout, "gating": "squeeze",
            "gating_reduction": self.gating_reduction}
