# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""VLAD of frames that are split into groups of low-dimensional vectors."""

import tensorflow as tf

from yt8m.models.layers import batch_norm
from yt8m.models.layers import soft_assignment
from yt8m.models.layers import vlad

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
    sums = vlad.subtract_centres(sums, weights, self.centres)
    flat = vlad.flatten(tf.nn.l2_normalize(sums, axis=1))
    flat = self.norm(flat, training=training)
    return tf.cast(flat, self.compute_dtype), {"attention": attention}

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters, "groups": self.groups,
            "expansion": self.expansion, "batch_norm_decay": self.batch_norm_decay}
