# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One level of a temporal dependency network: a graph over nodes, cut and pooled."""

import tensorflow as tf

from yt8m.models.layers import attention_scores
from yt8m.models.layers import masking
from yt8m.models.layers import normalised_cut

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class DependencyGraph(keras.layers.Layer):
  """Connects the nodes of a sequence, cuts it into segments and pools each.

      A_ij = ReLU((F x_i)ᵀ (F x_j))                      learned adjacency
      k(i) = segment of node i: `normalised_cuts(A)`     discrete, no gradient
      Â_ij = A_ij [k(i) = k(j)] / Σ_l A_il [k(i) = k(l)]
      y_i  = LN(x_i + ReLU(W Σ_j Â_ij x_j + b))          messages inside segments
      z_k  = Σ_{i: k(i) = k} α_i y_i,   α = softmax over segment k of wᵀ tanh(U y_i + c)

  Args:
    num_segments: the most segments; 1 makes no cut.
    kernel_units: size of F x.
    max_ncut: see `normalised_cuts`.
    hidden: size of the tanh layer of the pooling.

  Call arguments:
    x: nodes, (batch_size, num_nodes, dim).
    frame_mask: (batch_size, num_nodes), bool. Padded nodes have no edges and belong to
      no segment.

  Returns:
    The nodes z of the next level, (batch_size, num_segments, dim), 0 where a sequence
    has fewer segments; their mask, (batch_size, num_segments); and the intermediates
    `adjacency`, (batch_size, num_nodes, num_nodes) float32, and `segments`,
    (batch_size, num_nodes) int32, −1 for padding.

  Reference: On et al. 2019 (arXiv:1907.01709) and 2020 (arXiv:2001.07613).
  """

  def __init__(self, num_segments, kernel_units=128, max_ncut=0.9, hidden=128, **kwargs):
    super().__init__(**kwargs)
    self.num_segments, self.kernel_units = num_segments, kernel_units
    self.max_ncut, self.hidden = max_ncut, hidden

  def build(self, input_shape):
    dim = input_shape[-1]
    # No bias: what all nodes share would connect them all.
    self.kernel = keras.layers.Dense(self.kernel_units, use_bias=False, name="kernel")
    self.kernel.build((None, dim))
    self.message = keras.layers.Dense(dim, activation="relu", name="message")
    self.message.build((None, dim))
    self.norm = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")
    self.norm.build((None, None, dim))
    self.scores = attention_scores.AttentionScores(1, self.hidden, name="scores")
    self.scores.build((None, None, dim))
    self.built = True

  def call(self, x, frame_mask=None):
    x = masking.zero_padding(x, frame_mask)
    embedded = tf.cast(self.kernel(x), tf.float32)
    adjacency = tf.nn.relu(tf.matmul(embedded, embedded, transpose_b=True))
    segments = normalised_cut.normalised_cuts(
        adjacency, self.num_segments, self.max_ncut, frame_mask)
    y = self._pass_messages(x, adjacency, segments)
    members = tf.equal(segments[:, tf.newaxis, :],
                       tf.range(self.num_segments)[:, tf.newaxis])
    scores = tf.transpose(self.scores(y), [0, 2, 1])
    weights = attention_scores.masked_softmax(scores, members)
    pooled = tf.matmul(tf.cast(weights, y.dtype), y)
    return (pooled, tf.reduce_any(members, axis=2),
            {"adjacency": adjacency, "segments": segments})

  def _pass_messages(self, x, adjacency, segments):
    same = tf.equal(segments[:, :, tf.newaxis], segments[:, tf.newaxis, :])
    edges = tf.where(same, adjacency, 0.0)
    degrees = tf.reduce_sum(edges, axis=2, keepdims=True)
    edges = tf.cast(tf.math.divide_no_nan(edges, degrees), x.dtype)
    return self.norm(x + self.message(tf.matmul(edges, x)))

  def get_config(self):
    return {**super().get_config(), "num_segments": self.num_segments,
            "kernel_units": self.kernel_units, "max_ncut": self.max_ncut,
            "hidden": self.hidden}
