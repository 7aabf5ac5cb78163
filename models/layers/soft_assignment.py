# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which cluster a frame belongs to, as a distribution."""

import tensorflow as tf

from yt8m.models.layers import batch_norm

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class SoftAssignment(keras.layers.Layer):
  """Assigns every frame softly to K clusters.

      a_t = softmax(BN(W x_t))                     (K,); without batch norm W x_t + b

  With G groups a frame is assigned G times, to the same K clusters, each time by
  weights of its own: W x_t holds G · K scores.

  Args:
    clusters: K.
    groups: G.
    use_batch_norm: normalise the scores; else they have a bias.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.

  Returns:
    (batch_size, num_frames · G, K), float32 whatever the policy.
  """

  def __init__(self, clusters, groups=1, use_batch_norm=True, batch_norm_decay=0.999,
               **kwargs):
    super().__init__(**kwargs)
    self.clusters, self.groups = clusters, groups
    self.use_batch_norm, self.batch_norm_decay = use_batch_norm, batch_norm_decay

  def build(self, input_shape):
    dim, scores = input_shape[-1], self.clusters * self.groups
    self.score = keras.layers.Dense(
        scores, use_bias=not self.use_batch_norm, name="score",
        kernel_initializer=keras.initializers.RandomNormal(stddev=dim ** -0.5))
    self.score.build((None, dim))
    if self.use_batch_norm:
      self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
      self.norm.build((None, scores))
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    scores = self.score(x)
    if self.use_batch_norm:
      scores = self.norm(scores, frame_mask=frame_mask, training=training)
    scores = tf.reshape(tf.cast(scores, tf.float32),
                        [-1, tf.shape(x)[1], self.groups, self.clusters])
    assignments = tf.nn.softmax(scores)
    if frame_mask is not None:
      assignments *= tf.cast(frame_mask, tf.float32)[..., tf.newaxis, tf.newaxis]
    return tf.reshape(assignments, [-1, tf.shape(x)[1] * self.groups, self.clusters])

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters, "groups": self.groups,
            "use_batch_norm": self.use_batch_norm,
            "batch_norm_decay": self.batch_norm_decay}


def sum_by_cluster(x, assignments):
  """`S_dk = Σ_t a_tk x_td` as one batched matrix product.

  Args:
    x: (batch_size, num_frames, dim).
    assignments: (batch_size, num_frames, K) float32.

  Returns:
    (batch_size, dim, K) float32.
  """
  weights = tf.cast(assignments, x.dtype)
  return tf.cast(tf.matmul(x, weights, transpose_a=True), tf.float32)


def subtract_centres(sums, assignments, centres):
  """`S_dk − (Σ_t a_tk) c_dk`, the residuals of `sums`, (batch_size, dim, K)."""
  mass = tf.reduce_sum(assignments, axis=1)[:, tf.newaxis, :]
  return sums - mass * tf.cast(centres, tf.float32)


def normalize_vlad(sums):
  """Every cluster to unit length, then the flattened whole: (batch_size, dim · K)."""
  sums = tf.nn.l2_normalize(sums, axis=1)
  return tf.nn.l2_normalize(flatten(sums), axis=1)


def flatten(sums):
  """(batch_size, dim, K) -> (batch_size, dim · K), clusters fastest."""
  return tf.reshape(sums, [-1, sums.shape[1] * sums.shape[2]])
