# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Learned scores of frames, and their softmax over valid frames."""

from typing import Any

import tensorflow as tf

from yt8m.models.layers import base

keras = tf.keras


class AttentionScores(base.Layer):
  """Scores how much each frame matters to each head.

      s_th = w_hᵀ tanh(W x_t + b)

  Args:
    num_heads: Number of heads, each with a w_h of its own.
    hidden: Size of the tanh layer.

  Call arguments:
    x: (batch_size, num_frames, dim).

  Returns:
    (batch_size, num_frames, num_heads).

  Reference: Lin et al. 2017 (arXiv:1703.03130), equation 6.
  """

  def __init__(self, num_heads: int, hidden: int, **kwargs: Any):
    super().__init__(**kwargs)
    self.num_heads, self.hidden = num_heads, hidden

  def build(self, input_shape: Any) -> None:
    self.hide = base.built(
        keras.layers.Dense(self.hidden, activation="tanh", name="hide"),
        None, input_shape[-1])
    # A bias would add the same value to all frames, which the softmax ignores.
    self.score = base.built(
        keras.layers.Dense(self.num_heads, use_bias=False, name="score"),
        None, self.hidden)

  def call(self, x: tf.Tensor) -> tf.Tensor:
    return self.score(self.hide(x))


def masked_softmax(scores: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
  """Returns `m_t exp(s_t) / Σ_t m_t exp(s_t)` over the last axis, in float32.

  Args:
    scores: (..., num_frames).
    mask: Booleans that broadcast against `scores`, or None if every frame is valid.
      Where no frame is valid, all weights are 0.
  """
  scores = tf.cast(scores, tf.float32)
  if mask is None:
    return tf.nn.softmax(scores)
  weights = tf.nn.softmax(tf.where(mask, scores, scores.dtype.min))
  return tf.where(mask, weights, 0.0)
