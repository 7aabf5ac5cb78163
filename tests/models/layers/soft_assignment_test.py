# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Soft assignment of frames, in groups, and sums by cluster."""

import numpy as np
import tensorflow as tf

from yt8m.models.layers import masking
from yt8m.models.layers import soft_assignment


def normal(*shape):
  return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_numpy_twin_with_groups_and_mask():
  x, lengths = normal(2, 5, 4), [5, 3]
  layer = soft_assignment.SoftAssignment(clusters=3, groups=2, use_batch_norm=False)
  found = layer(tf.constant(x), frame_mask=masking.frame_mask(lengths, 5))
  kernel, bias = layer.score.get_weights()
  scores = np.exp(x @ kernel + bias).reshape(2, 5, 2, 3)
  expected = scores / scores.sum(-1, keepdims=True)
  expected[1, 3:] = 0
  np.testing.assert_allclose(found, expected.reshape(2, 10, 3), rtol=1e-4, atol=1e-6)


def test_residuals_are_sums_over_frames():
  x, a, centres = normal(2, 5, 4), np.abs(normal(2, 5, 3)), normal(4, 3)
  sums = soft_assignment.sum_by_cluster(tf.constant(x), tf.constant(a))
  found = soft_assignment.subtract_centres(sums, tf.constant(a), tf.constant(centres))
  expected = np.einsum("btk,btdk->bdk", a, x[..., None] - centres)
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_vectors_are_flattened_with_clusters_fastest():
  sums = tf.reshape(tf.range(12.0), [1, 4, 3])
  np.testing.assert_array_equal(soft_assignment.flatten(sums)[0], np.arange(12))
  normalized = soft_assignment.normalize_vlad(sums).numpy().reshape(4, 3)
  np.testing.assert_allclose(np.linalg.norm(normalized, axis=0), 3 ** -0.5, rtol=1e-5)
