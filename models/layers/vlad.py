# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Residuals of frames to learned cluster centres, summed over a video."""

import tensorflow as tf

from yt8m.models.layers import batch_norm

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class VladPooling(keras.layers.Layer):
  """Sums, for every cluster, how far the frames assigned to it lie from its centre.

      a_t = softmax(BN(W x_t))                     (K,), soft assignment
      V_dk = Σ_t a_tk (x_td − c_dk) = Σ_t a_tk x_td − (Σ_t a_tk) c_dk
      V ← V / ‖V_·k‖ for every cluster (intra-normalisation), flattened, then V / ‖V‖

  The sum over frames is one batched matrix product: the residuals (batch_size,
  num_frames, dim, K) never exist. Flattened feature by feature, clusters fastest.

  Args:
    clusters: K.
    use_batch_norm: normalise the assignments; else they have a bias.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.

  Returns:
    (batch_size, dim · K), and the intermediate `assignments`, (batch_size,
    num_frames, K).

  Reference: Arandjelović et al. 2016 (arXiv:1511.07247), equation 4; `NetVLAD` of the
  WILLOW code and of TensorFlow Addons (there with a bias).
  """

  def __init__(self, clusters=64, use_batch_norm=True, batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.clusters, self.use_batch_norm = clusters, use_batch_norm
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape):
    dim = input_shape[-1]
    normal = keras.initializers.RandomNormal(stddev=dim ** -0.5)
    self.assign_clusters = keras.layers.Dense(
        self.clusters, use_bias=not self.use_batch_norm, kernel_initializer=normal,
        name="assign_clusters")
    self.assign_clusters.build((None, dim))
    if self.use_batch_norm:
      self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
      self.norm.build((None, self.clusters))
    self.centres = self.add_weight(
        name="centres", shape=(dim, self.clusters), initializer=normal)
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    scores = self.assign_clusters(x)
    if self.use_batch_norm:
      scores = self.norm(scores, frame_mask=frame_mask, training=training)
    assignments = tf.nn.softmax(tf.cast(scores, tf.float32))
    if frame_mask is not None:
      assignments *= tf.cast(frame_mask, tf.float32)[..., tf.newaxis]
    weights = tf.cast(assignments, x.dtype)
    weighted = tf.cast(tf.matmul(x, weights, transpose_a=True), tf.float32)
    mass = tf.reduce_sum(assignments, axis=1)[:, tf.newaxis, :]
    residuals = weighted - mass * tf.cast(self.centres, tf.float32)
    residuals = tf.nn.l2_normalize(residuals, axis=1)
    flat = tf.reshape(residuals, [-1, x.shape[-1] * self.clusters])
    flat = tf.cast(tf.nn.l2_normalize(flat, axis=1), self.compute_dtype)
    return flat, {"assignments": assignments}

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters,
            "use_batch_norm": self.use_batch_norm,
            "batch_norm_decay": self.batch_norm_decay}
