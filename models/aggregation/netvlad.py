# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NetVLAD: residuals of frames to learned cluster centres."""

from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import base
from yt8m.models.layers import soft_assignment

keras = tf.keras

RESIDUALS = ("centres", "none", "gated")


class VladPooling(base.Layer):
  """Sums the residuals of the frames of each cluster to its centre.

      a_t  = softmax(BN(W x_t))                                    `SoftAssignment`
      centres (NetVLAD):  V_dk = Σ_t a_tk (x_td − c_dk) = S_dk − (Σ_t a_tk) c_dk
      none (NetRVLAD):    V_dk = S_dk,   S_dk = Σ_t a_tk x_td
      gated (NetVLAGD):   V_dk = σ(g_dk) S_dk
      V ← V / ‖V_·k‖ for every cluster (intra-normalisation), flattened, then V / ‖V‖

  The sum over frames is one batched matrix product, so the residuals (batch_size,
  num_frames, dim, K) are never stored. V is flattened feature by feature, clusters
  fastest.

  Args:
    clusters: Number of clusters, K.
    residuals: `"centres"`, `"none"` or `"gated"`.
    use_batch_norm: Whether the assignments are normalised instead of having a bias.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.
    project: `Dense` layer y = W₁ x + b₁ of which the outputs y are pooled, for inputs x
      of the layer. Their sums are projected, not the frames:
      Σ_t a_tk y_t = W₁ Σ_t a_tk x_t + b₁ Σ_t a_tk. None: the frames x are pooled.

  Returns:
    (batch_size, dim · K), where dim is that of y, and the intermediate `assignments`,
    (batch_size, num_frames, K).

  Raises:
    ValueError: `residuals` is unknown.

  Reference: Arandjelović et al. 2016 (arXiv:1511.07247), equation 4; `NetVLAD` of
  TensorFlow Addons (there with a bias); Miech et al. 2017 (arXiv:1706.06905), and
  `NetVLAD`, `LightVLAD` and `NetVLAGD` of its code, WILLOW.
  """

  def __init__(self, clusters: int = 64, residuals: str = "centres",
               use_batch_norm: bool = True, batch_norm_decay: float = 0.999,
               **kwargs: Any):
    super().__init__(**kwargs)
    if residuals not in RESIDUALS:
      raise registry.unknown("residuals", residuals, RESIDUALS, "Set it with --hparams.")
    self.clusters, self.residuals = clusters, residuals
    self.use_batch_norm, self.batch_norm_decay = use_batch_norm, batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self.output_size = dim * self.clusters
    self.assign = base.built(
        soft_assignment.SoftAssignment(
            self.clusters, use_batch_norm=self.use_batch_norm,
            batch_norm_decay=self.batch_norm_decay, name="assign"), None, None, dim)
    if self.residuals != "none":
      self.references = self.add_weight(
          name="centres" if self.residuals == "centres" else "gates",
          shape=(dim, self.clusters),
          initializer=keras.initializers.RandomNormal(stddev=dim ** -0.5))

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False, project: Any = None
           ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    assignments = self.assign(x, frame_mask=frame_mask, training=training,
                              project=project)
    if project is None:
      sums = soft_assignment.sum_by_cluster(x, assignments)
    else:
      sums = soft_assignment.sum_projected_by_cluster(x, assignments, project)
    if self.residuals == "centres":
      sums = soft_assignment.subtract_centres(sums, assignments, self.references)
    elif self.residuals == "gated":
      sums *= tf.sigmoid(tf.cast(self.references, tf.float32))
    return (tf.cast(soft_assignment.normalize_vlad(sums), self.compute_dtype),
            {"assignments": assignments})


@registries.AGGREGATIONS.register("netvlad")
class NetVlad(cluster_pooling.ClusterPooling):
  """Describes a video by the residuals of its frames to learned clusters.

      y_t = W₁ x_t + b₁                 (projection)
      V   = VLAD(y_1, …, y_T)           (projection · clusters,)
      h   = gate(W₂ V + b₂)             (units,)

  `ClusterPooling` describes shapes and the other arguments. The intermediate is
  `assignments`, (batch_size, num_frames, clusters).

  Args:
    context_gating: Whether h is gated.
    residuals: `"centres"` (NetVLAD), `"none"` (NetRVLAD, also called LightVLAD) or
      `"gated"` (NetVLAGD), as in `VladPooling`.
    remove_diagonal: Whether the gate of a value ignores the value itself.

  Reference: `VladPooling`, `ContextGating`.
  """

  def __init__(self, clusters: int = 64, projection: int = 512, units: int = 512,
               context_gating: bool = True, residuals: str = "centres",
               remove_diagonal: bool = False, **kwargs: Any):
    super().__init__(clusters, projection, units, **kwargs)
    self.context_gating, self.residuals = context_gating, residuals
    self.remove_diagonal = remove_diagonal

  def make_pool(self) -> VladPooling:
    return VladPooling(self.clusters, self.residuals,
                       batch_norm_decay=self.batch_norm_decay, name="pool")

  def projects_sums(self, num_frames: int | None, dim: int) -> bool:
    return soft_assignment.is_cheaper_projected(
        num_frames, dim, self.projection, self.clusters)
