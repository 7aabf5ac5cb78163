# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One level of a temporal dependency network: a graph over nodes, cut and pooled."""

from typing import Any

import tensorflow as tf

from yt8m.models.layers import attention_scores
from yt8m.models.layers import base
from yt8m.models.layers import masking

keras = tf.keras


class DependencyGraph(base.Layer):
  """Connects the nodes of a sequence, cuts it into segments and pools each segment.

      A_ij = ReLU((F x_i)ᵀ (F x_j))                      learned adjacency
      k(i) = segment of node i: `normalised_cuts(A)`     discrete, no gradient
      Â_ij = A_ij [k(i) = k(j)] / Σ_l A_il [k(i) = k(l)]
      y_i  = LN(x_i + ReLU(W Σ_j Â_ij x_j + b))          messages within segments
      z_k  = Σ_{i: k(i) = k} α_i y_i,   α = softmax over segment k of wᵀ tanh(U y_i + c)

  Args:
    num_segments: Maximum number of segments. 1 makes no cut.
    kernel_units: Size of F x.
    max_ncut: Maximum normalised cut value, as in `normalised_cuts`.
    hidden: Size of the tanh layer of the pooling.

  Call arguments:
    x: Nodes, (batch_size, num_nodes, dim).
    frame_mask: (batch_size, num_nodes), bool. Padded nodes have no edges and belong to
      no segment.

  Returns:
    The nodes z of the next level, (batch_size, num_segments, dim), 0 where a sequence
    has fewer segments; their mask, (batch_size, num_segments), bool; and the
    intermediates `adjacency`, (batch_size, num_nodes, num_nodes) float32, and
    `segments`, (batch_size, num_nodes) int32, −1 for padding.

  Reference: On et al. 2019 (arXiv:1907.01709) and 2020 (arXiv:2001.07613).
  """

  def __init__(self, num_segments: int, kernel_units: int = 128, max_ncut: float = 0.9,
               hidden: int = 128, **kwargs: Any):
    super().__init__(**kwargs)
    self.num_segments, self.kernel_units = num_segments, kernel_units
    self.max_ncut, self.hidden = max_ncut, hidden

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    # A bias, which all nodes share, would connect them all.
    self.kernel = base.built(
        keras.layers.Dense(self.kernel_units, use_bias=False, name="kernel"), None, dim)
    self.message = base.built(
        keras.layers.Dense(dim, activation="relu", name="message"), None, dim)
    self.norm = base.built(
        keras.layers.LayerNormalization(epsilon=1e-6, name="norm"), None, None, dim)
    self.scores = base.built(
        attention_scores.AttentionScores(1, self.hidden, name="scores"), None, None, dim)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None
           ) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
    x = masking.zero_padding(x, frame_mask)
    embedded = tf.cast(self.kernel(x), tf.float32)
    adjacency = tf.nn.relu(tf.matmul(embedded, embedded, transpose_b=True))
    segments = normalised_cuts(adjacency, self.num_segments, self.max_ncut, frame_mask)
    y = self._pass_messages(x, adjacency, segments)
    members = tf.equal(segments[:, tf.newaxis, :],
                       tf.range(self.num_segments)[:, tf.newaxis])
    scores = tf.transpose(self.scores(y), [0, 2, 1])
    weights = attention_scores.masked_softmax(scores, members)
    pooled = tf.matmul(tf.cast(weights, y.dtype), y)
    return (pooled, tf.reduce_any(members, axis=2),
            {"adjacency": adjacency, "segments": segments})

  def _pass_messages(self, x: tf.Tensor, adjacency: tf.Tensor, segments: tf.Tensor
                     ) -> tf.Tensor:
    same = tf.equal(segments[:, :, tf.newaxis], segments[:, tf.newaxis, :])
    edges = tf.where(same, adjacency, 0.0)
    degrees = tf.reduce_sum(edges, axis=2, keepdims=True)
    edges = tf.cast(tf.math.divide_no_nan(edges, degrees), x.dtype)
    return self.norm(x + self.message(tf.matmul(edges, x)))


def normalised_cuts(adjacency: tf.Tensor, num_segments: int, max_ncut: float = 0.9,
                    frame_mask: tf.Tensor | None = None) -> tf.Tensor:
  """Cuts each sequence where its graph is least connected.

  A segment [a, b) can be cut before any frame s inside it, into V₁ = [a, s) and
  V₂ = [s, b):

      links(i, j) = Σ_{i ≤ k, l < j; k ≠ l} A_kl
      cut(s)  = Σ_{k ∈ V₁, l ∈ V₂} A_kl = (links(a, b) − links(a, s) − links(s, b)) / 2
      Ncut(s) = cut / (links(a, s) + cut) + cut / (links(s, b) + cut)

  Each step makes the cut with the lowest Ncut over all segments. The steps end at
  `num_segments` segments, or when every possible cut has an Ncut above `max_ncut`. With
  the integral image P_ij = Σ_{k < i, l < j; k ≠ l} A_kl,

      links(i, j) = P_jj − 2 P_ij + P_ii,

  so a step evaluates every possible cut in O(num_frames).

  Edges from a frame to itself do not count. A noisy frame has a strong one, which would
  make small parts cheap. Without them, every cut of n equally connected frames has
  Ncut = n / (n − 1), whatever its place and whatever the noise. A lower value is evidence
  for a cut, and 0 separates two parts that have no connection. A part of one frame has a
  share of 1 and is never worth a cut.

  Args:
    adjacency: A, (batch_size, num_frames, num_frames), symmetric, not negative.
    num_segments: Maximum number of segments of a sequence.
    max_ncut: Maximum Ncut of a cut. It should be below 1 by more than noise alone can
      lower an Ncut.
    frame_mask: (batch_size, num_frames), bool, False for padding at the end. None means
      that every frame is valid.

  Returns:
    (batch_size, num_frames) int32: index of the segment of each frame, −1 for padding.
    It has no gradient.

  Reference: Shi & Malik 2000, "Normalized cuts and image segmentation", equation 2;
  contiguous segments as in On et al. 2020 (arXiv:2001.07613).
  """
  shape = tf.shape(adjacency)
  batch_size, num_frames = shape[0], shape[1]
  valid = (tf.fill([batch_size, num_frames], True) if frame_mask is None
           else frame_mask)
  integral = _integral_image(adjacency, valid)
  frames = tf.range(num_frames)[tf.newaxis, :]
  # The starts of the segments, in the order in which they were found, and the end of
  # the last one. A cut that is not made is put at the end, where it changes nothing.
  bounds = tf.fill([batch_size, 1], num_frames)
  bounds = tf.concat([tf.zeros_like(bounds), bounds], axis=1)
  for _ in range(num_segments - 1):
    starts, ends = _segment_bounds(frames, bounds)
    ncut = _ncut(integral, starts, frames, ends)
    ncut = tf.where(valid & (frames > starts), ncut, ncut.dtype.max)
    cut = tf.argmin(ncut, axis=1, output_type=tf.int32)
    cut = tf.where(tf.reduce_min(ncut, axis=1) <= max_ncut, cut, num_frames)
    bounds = tf.concat([bounds, cut[:, tf.newaxis]], axis=1)
  begun = bounds[:, tf.newaxis, :] <= frames[:, :, tf.newaxis]
  segments = tf.reduce_sum(tf.cast(begun, tf.int32), axis=2) - 1
  return tf.where(valid, segments, -1)


def _integral_image(adjacency: tf.Tensor, frame_mask: tf.Tensor) -> tf.Tensor:
  """Returns `P_ij = Σ_{k < i, l < j; k ≠ l} A_kl`, 0 ≤ i, j ≤ num_frames.

  Padded frames do not contribute.
  """
  valid = frame_mask[:, :, tf.newaxis] & frame_mask[:, tf.newaxis, :]
  edges = tf.where(valid, tf.stop_gradient(adjacency), 0)
  edges = tf.linalg.set_diag(edges, tf.zeros_like(edges[:, :, 0]))
  # float64, since small sums are computed as differences of large ones.
  edges = tf.pad(tf.cast(edges, tf.float64), [[0, 0], [1, 0], [1, 0]])
  return tf.cumsum(tf.cumsum(edges, axis=1), axis=2)


def _segment_bounds(frames: tf.Tensor, bounds: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
  """Returns the first frame of each frame's segment, and the frame after its last."""
  frames, bounds = frames[:, :, tf.newaxis], bounds[:, tf.newaxis, :]
  begun = bounds <= frames
  starts = tf.reduce_max(tf.where(begun, bounds, 0), axis=2)
  ends = tf.reduce_min(tf.where(begun, bounds.dtype.max, bounds), axis=2)
  return starts, ends


def _ncut(integral: tf.Tensor, starts: tf.Tensor, frames: tf.Tensor, ends: tf.Tensor
          ) -> tf.Tensor:
  """Returns the Ncut of cutting before each frame, (batch_size, num_frames)."""
  diagonal = tf.linalg.diag_part(integral)

  def links(begin: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    corners = tf.stack([begin, end], axis=-1)
    return (tf.gather(diagonal, end, batch_dims=1)
            - 2 * tf.gather_nd(integral, corners, batch_dims=1)
            + tf.gather(diagonal, begin, batch_dims=1))

  frames += tf.zeros_like(starts)
  before, after = links(starts, frames), links(frames, ends)
  cut = tf.maximum(links(starts, ends) - before - after, 0) / 2
  return _share(cut, before) + _share(cut, after)


def _share(cut: tf.Tensor, inside: tf.Tensor) -> tf.Tensor:
  """Returns `cut / (inside + cut)`, and its limit 1 for a part without edges.

  The edge from x to another frame is proportional to the length of x, and the edge from
  x to itself to the square of that length. As a frame vanishes, the share of its edges
  that is cut approaches 1.
  """
  total = inside + cut
  return tf.where(total > 0, cut / tf.where(total > 0, total, 1), 1)
