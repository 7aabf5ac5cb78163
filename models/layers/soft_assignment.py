# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Soft assignment of frames to clusters, and sums of frames by cluster."""

from typing import Any

import tensorflow as tf

from yt8m.models.layers import base
from yt8m.models.layers import batch_norm

keras = tf.keras


class SoftAssignment(base.Layer):
  """Assigns every frame softly to K clusters.

      a_t = softmax(BN(W x_t))                     (K,)
      without batch normalisation: a_t = softmax(W x_t + b)

  With G groups a frame is assigned G times to the same K clusters, each time by
  different weights: W x_t then holds G · K scores.

  Args:
    clusters: Number of clusters, K.
    groups: Number of groups, G.
    use_batch_norm: Whether the scores are normalised instead of having a bias.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no cluster.
    project: `Dense` layer of which the outputs are assigned, for inputs x of the layer:
      W (W₁ x + b₁) = (W W₁) x + W b₁. None: the frames x themselves are.

  Returns:
    (batch_size, num_frames · G, K), float32 under every policy.
  """

  def __init__(self, clusters: int, groups: int = 1, use_batch_norm: bool = True,
               batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    self.clusters, self.groups = clusters, groups
    self.use_batch_norm, self.batch_norm_decay = use_batch_norm, batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim, scores = input_shape[-1], self.clusters * self.groups
    self.score = base.built(
        keras.layers.Dense(
            scores, use_bias=not self.use_batch_norm, name="score",
            kernel_initializer=keras.initializers.RandomNormal(stddev=dim ** -0.5)),
        None, dim)
    if self.use_batch_norm:
      self.norm = base.built(
          batch_norm.BatchNorm(self.batch_norm_decay, name="norm"), None, scores)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False, project: Any = None) -> tf.Tensor:
    num_frames = tf.shape(x)[1]
    scores = self.score(x) if project is None else self._score_projected(x, project)
    if self.use_batch_norm:
      scores = self.norm(scores, frame_mask=frame_mask, training=training)
    scores = tf.reshape(tf.cast(scores, tf.float32),
                        [-1, num_frames, self.groups, self.clusters])
    assignments = tf.nn.softmax(scores)
    if frame_mask is not None:
      assignments *= tf.cast(frame_mask, tf.float32)[:, :, tf.newaxis, tf.newaxis]
    return tf.reshape(assignments, [-1, num_frames * self.groups, self.clusters])

  def _score_projected(self, x, project):
    kernel, first_kernel, first_bias = (
        tf.cast(tf.convert_to_tensor(weight), self.compute_dtype)
        for weight in (self.score.kernel, project.kernel, project.bias))
    offsets = tf.linalg.matvec(kernel, first_bias, transpose_a=True)
    if self.score.use_bias:
      offsets += tf.cast(tf.convert_to_tensor(self.score.bias), self.compute_dtype)
    return tf.tensordot(x, tf.matmul(first_kernel, kernel), 1) + offsets


def sum_by_cluster(x: tf.Tensor, assignments: tf.Tensor) -> tf.Tensor:
  """Returns `S_dk = Σ_t a_tk x_td`, computed as one batched matrix product.

  Args:
    x: (batch_size, num_frames, dim).
    assignments: (batch_size, num_frames, K), float32.

  Returns:
    (batch_size, dim, K), float32.
  """
  weights = tf.cast(assignments, x.dtype)
  return tf.cast(tf.matmul(x, weights, transpose_a=True), tf.float32)


def sum_projected_by_cluster(x: tf.Tensor, assignments: tf.Tensor,
                             project: Any) -> tf.Tensor:
  """Returns `S_pk = Σ_t a_tk y_tp` of y = W₁ x + b₁, without computing y.

  Args:
    x: (batch_size, num_frames, dim).
    assignments: (batch_size, num_frames, K), float32.
    project: `Dense` layer with the weights W₁ and b₁.

  Returns:
    (batch_size, units of the layer, K), float32.
  """
  weights = tf.cast(assignments, x.dtype)
  sums = tf.matmul(weights, x, transpose_a=True)
  kernel, bias = (tf.cast(tf.convert_to_tensor(weight), x.dtype)
                  for weight in (project.kernel, project.bias))
  mass = tf.reduce_sum(weights, axis=1)[:, :, tf.newaxis]
  projected = tf.tensordot(sums, kernel, 1) + mass * bias
  return tf.cast(tf.transpose(projected, [0, 2, 1]), tf.float32)


def is_cheaper_projected(num_frames: int | None, dim: int, units: int,
                         clusters: int) -> bool:
  """Whether sums over frames are cheaper to project than the frames.

  It compares the multiplications of `sum_by_cluster` and `SoftAssignment` for one video,
  T (D P + 2 P K), with those on frames that are not projected, 2 T D K + K D P.

  Args:
    num_frames: Number of frames, T; None if it is not known: then they are not.
    dim: Size of a frame, D.
    units: Size of a projected frame, P.
    clusters: Number of clusters, K.
  """
  return num_frames is not None and (
      num_frames * units * (dim + 2 * clusters)
      > clusters * dim * (2 * num_frames + units))


def subtract_centres(sums: tf.Tensor, assignments: tf.Tensor,
                     centres: tf.Tensor) -> tf.Tensor:
  """Returns the residuals `S_dk − (Σ_t a_tk) c_dk` of `sums`, (batch_size, dim, K)."""
  mass = tf.reduce_sum(assignments, axis=1)[:, tf.newaxis, :]
  return sums - mass * tf.cast(centres, tf.float32)


def normalize_vlad(sums: tf.Tensor) -> tf.Tensor:
  """Scales every cluster to unit length, flattens, and scales the whole to unit length.

  Args:
    sums: (batch_size, dim, K).

  Returns:
    (batch_size, dim · K).
  """
  return unit_length(flatten(unit_length(sums)))


def unit_length(x: tf.Tensor) -> tf.Tensor:
  """Scales vectors along axis 1 to unit length, as `tf.nn.l2_normalize` does.

  That function multiplies the gradient of a vector of zeros, such as that of a video
  without frames, by 10⁶, which float16 cannot hold. Here it stays as it is.
  """
  squares = tf.reduce_sum(tf.square(x), axis=1, keepdims=True)
  least = tf.where(squares > 0, tf.constant(1e-12, x.dtype), tf.constant(1.0, x.dtype))
  return x * tf.math.rsqrt(tf.maximum(squares, least))


def flatten(sums: tf.Tensor) -> tf.Tensor:
  """Flattens (batch_size, dim, K) to (batch_size, dim · K), clusters fastest."""
  return tf.reshape(sums, [-1, sums.shape[1:].num_elements()])
