# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Learned scores of frames, and their softmax over those that count."""

import tensorflow as tf

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class AttentionScores(keras.layers.Layer):
  """Says how much each frame matters to each head.

      s_th = w_hᵀ tanh(W x_t + b)

  Args:
    num_heads: number of w_h.
    hidden: size of the tanh layer.

  Call arguments:
    x: (batch_size, num_frames, dim).

  Returns:
    (batch_size, num_frames, num_heads).

  Reference: Lin et al. 2017 (arXiv:1703.03130), equation 6.
  """

  def __init__(self, num_heads, hidden, **kwargs):
    super().__init__(**kwargs)
    self.num_heads, self.hidden = num_heads, hidden

  def build(self, input_shape):
    self.hide = keras.layers.Dense(self.hidden, activation="tanh", name="hide")
    self.hide.build((None, input_shape[-1]))
    # A bias would be the same for all frames, and a softmax does not see it.
    self.score = keras.layers.Dense(self.num_heads, use_bias=False, name="score")
    self.score.build((None, self.hidden))
    self.built = True

  def call(self, x):
    return self.score(self.hide(x))

  def get_config(self):
    return {**super().get_config(), "num_heads": self.num_heads, "hidden": self.hidden}


def masked_softmax(scores, mask):
  """`m_t exp(s_t) / Σ_t m_t exp(s_t)` over the last axis, in float32.

  Args:
    scores: (..., num_frames).
    mask: bool, broadcast against `scores`; None means that every frame counts. Where
      no frame does, all weights are 0.
  """
  scores = tf.cast(scores, tf.float32)
  if mask is None:
    return tf.nn.softmax(scores)
  weights = tf.nn.softmax(tf.where(mask, scores, scores.dtype.min))
  return tf.where(mask, weights, 0.0)
