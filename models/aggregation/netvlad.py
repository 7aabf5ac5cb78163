# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NetVLAD."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import soft_assignment

keras = tf.keras

RESIDUALS = ("centres", "none", "gated")


@keras.utils.register_keras_serializable(package="yt8m")
class VladPooling(keras.layers.Layer):
  """Sums, for every cluster, how far the frames assigned to it lie from its centre.

      a_t  = softmax(BN(W x_t))                                    `SoftAssignment`
      centres (NetVLAD):  V_dk = Σ_t a_tk (x_td − c_dk) = S_dk − (Σ_t a_tk) c_dk
      none (NetRVLAD):    V_dk = S_dk,   S_dk = Σ_t a_tk x_td
      gated (NetVLAGD):   V_dk = σ(g_dk) S_dk
      V ← V / ‖V_·k‖ for every cluster (intra-normalisation), flattened, then V / ‖V‖

  The sum over frames is one batched matrix product: the residuals (batch_size,
  num_frames, dim, K) never exist. Flattened feature by feature, clusters fastest.

  Args:
    clusters: K.
    residuals: `"centres"`, `"none"` or `"gated"`.
    use_batch_norm: normalise the assignments; else they have a bias.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.

  Returns:
    (batch_size, dim · K), and the intermediate `assignments`, (batch_size,
    num_frames, K).

  Raises:
    ValueError: unknown `residuals`.

  Reference: Arandjelović et al. 2016 (arXiv:1511.07247), equation 4; `NetVLAD` of
  TensorFlow Addons (there with a bias); Miech et al. 2017 (arXiv:1706.06905), section
  3.2; `NetVLAD`, `LightVLAD` and `NetVLAGD` of its code, WILLOW.
  """

  def __init__(self, clusters=64, residuals="centres", use_batch_norm=True,
               batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    if residuals not in RESIDUALS:
      raise ValueError(f"Unknown residuals {residuals!r}. "
                       f"Valid: {', '.join(RESIDUALS)} (--hparams).")
    self.clusters, self.residuals = clusters, residuals
    self.use_batch_norm, self.batch_norm_decay = use_batch_norm, batch_norm_decay

  def build(self, input_shape):
    dim = input_shape[-1]
    self.output_size = dim * self.clusters
    self.assign = soft_assignment.SoftAssignment(
        self.clusters, use_batch_norm=self.use_batch_norm,
        batch_norm_decay=self.batch_norm_decay, name="assign")
    self.assign.build(input_shape)
    if self.residuals != "none":
      self.references = self.add_weight(
          name="centres" if self.residuals == "centres" else "gates",
          shape=(dim, self.clusters),
          initializer=keras.initializers.RandomNormal(stddev=dim ** -0.5))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    assignments = self.assign(x, frame_mask=frame_mask, training=training)
    sums = soft_assignment.sum_by_cluster(x, assignments)
    if self.residuals == "centres":
      sums = soft_assignment.subtract_centres(sums, assignments, self.references)
    elif self.residuals == "gated":
      sums *= tf.sigmoid(tf.cast(self.references, tf.float32))
    return (tf.cast(soft_assignment.normalize_vlad(sums), self.compute_dtype),
            {"assignments": assignments})

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters,
            "residuals": self.residuals, "use_batch_norm": self.use_batch_norm,
            "batch_norm_decay": self.batch_norm_decay}


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
    return VladPooling(self.clusters, self.residuals,
                            batch_norm_decay=self.batch_norm_decay, name="pool")

  def get_config(self):
    return {**super().get_config(), "context_gating": self.context_gating,
            "residuals": self.residuals,
            "remove_diagonal": self.remove_diagonal}
