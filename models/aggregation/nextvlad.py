# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by NeXtVLAD."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.aggregation import cluster_pooling
from yt8m.models.layers import batch_norm
from yt8m.models.layers import soft_assignment

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class NextVladPooling(keras.layers.Layer):
  """Pools the parts of every frame into one set of small clusters.

      y_t  = W x_t + b                              (λ D,), cut into G parts y_tg
      a_tg = softmax(BN(W_g y_t))                   (K,), `SoftAssignment`
      α_t  = σ(W_α y_t + b_α)                       (G,), attention of the parts
      V_dk = Σ_t Σ_g α_tg a_tgk (y_tgd − c_dk)      (λ D / G, K)
      V ← BN(V / ‖V_·k‖), flattened

  G parts share the centres, which makes V λ / G times the size of NetVLAD's. Batch
  normalisation takes the place of its second normalisation.

  Args:
    clusters: K.
    groups: G, must divide λ D.
    expansion: λ.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim), D = dim.
    frame_mask: (batch_size, num_frames), bool. Padded frames get no attention and no
      part in the batch statistics.

  Returns:
    (batch_size, λ D K / G), and the intermediate `attention`, (batch_size, num_frames,
    G).

  Raises:
    ValueError: `groups` does not divide the expanded size.

  Reference: Lin et al. 2018 (arXiv:1811.05014), section 3.2, equations 5 to 9.
  """

  def __init__(self, clusters=64, groups=8, expansion=2, batch_norm_decay=0.999,
               **kwargs):
    super().__init__(**kwargs)
    self.clusters, self.groups, self.expansion = clusters, groups, expansion
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape):
    dim, expanded = input_shape[-1], self.expansion * input_shape[-1]
    if expanded % self.groups:
      raise ValueError(
          f"{self.groups} groups do not divide {expanded}, which is {self.expansion} "
          f"times the frame size {dim}: change groups or expansion (--hparams).")
    part = expanded // self.groups
    self.output_size = part * self.clusters
    self.expand = self._dense(expanded, dim, "expand")
    self.attend = self._dense(self.groups, expanded, "attend")
    self.assign = soft_assignment.SoftAssignment(
        self.clusters, self.groups, batch_norm_decay=self.batch_norm_decay,
        name="assign")
    self.assign.build((None, None, expanded))
    self.centres = self.add_weight(
        name="centres", shape=(part, self.clusters),
        initializer=keras.initializers.VarianceScaling(scale=2.0))
    self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
    self.norm.build((None, self.output_size))
    self.built = True

  def _dense(self, units, dim, name):
    dense = keras.layers.Dense(
        units, name=name, kernel_initializer=keras.initializers.VarianceScaling(2.0))
    dense.build((None, dim))
    return dense

  def call(self, x, frame_mask=None, training=False):
    y, num_frames = self.expand(x), tf.shape(x)[1]
    attention = tf.sigmoid(tf.cast(self.attend(y), tf.float32))
    if frame_mask is not None:
      attention *= tf.cast(frame_mask, tf.float32)[..., tf.newaxis]
    weights = self.assign(y, frame_mask=frame_mask, training=training)
    weights *= tf.reshape(attention, [-1, num_frames * self.groups, 1])
    parts = tf.reshape(
        y, [-1, num_frames * self.groups, y.shape[-1] // self.groups])
    sums = soft_assignment.sum_by_cluster(parts, weights)
    sums = soft_assignment.subtract_centres(sums, weights, self.centres)
    flat = soft_assignment.flatten(tf.nn.l2_normalize(sums, axis=1))
    flat = self.norm(flat, training=training)
    return tf.cast(flat, self.compute_dtype), {"attention": attention}

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters, "groups": self.groups,
            "expansion": self.expansion, "batch_norm_decay": self.batch_norm_decay}


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
    return NextVladPooling(self.clusters, self.groups, self.expansion,
                                    self.batch_norm_decay, name="pool")

  def get_config(self):
    return {**super().get_config(), "groups": self.groups,
            "expansion": self.expansion, "dropout": self.dropout,
            "gating_reduction": self.gating_reduction}
