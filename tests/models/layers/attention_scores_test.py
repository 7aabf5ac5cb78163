# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of frames, and their softmax over valid frames."""

import numpy as np
import tensorflow as tf

from yt8m.models.layers import attention_scores


def test_scores_of_every_head_by_a_numpy_twin():
  x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
  layer = attention_scores.AttentionScores(num_heads=3, hidden=6)
  found = layer(tf.constant(x))
  kernel, bias = layer.hide.get_weights()
  [heads] = layer.score.get_weights()
  np.testing.assert_allclose(found, np.tanh(x @ kernel + bias) @ heads, rtol=1e-4,
                             atol=1e-6)


def test_masked_softmax_survives_large_scores():
  scores = tf.constant([[1e4, -1e4, 1e30]], tf.float32)
  found = attention_scores.masked_softmax(scores, tf.constant([[True, True, False]]))
  np.testing.assert_array_equal(found, [[1, 0, 0]])


def test_without_a_valid_frame_all_weights_are_0():
  found = attention_scores.masked_softmax(tf.ones((1, 3)), tf.fill([1, 3], False))
  np.testing.assert_array_equal(found, 0)
  found = attention_scores.masked_softmax(tf.ones((1, 4), tf.float16), None)
  assert found.dtype == tf.float32
  np.testing.assert_array_equal(found, 0.25)
