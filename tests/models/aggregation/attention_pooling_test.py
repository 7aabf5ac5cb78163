# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Multi-head attention pooling, compared with a numpy twin."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking


def test_numpy_twin_with_mask():
  lengths = [6, 2]
  x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
  layer = models.AttentionPooling(num_heads=3, units=6, hidden=5)
  found, intermediates = layer(
      tf.constant(x), frame_mask=masking.frame_mask(tf.constant(lengths), 6))
  kernel, bias = layer.scores.hide.get_weights()
  [queries] = layer.scores.score.get_weights()
  values = layer.values.numpy()
  assert intermediates["attention"].shape == (2, 3, 6)
  for row, n in enumerate(lengths):
    frames = x[row, :n]
    weights = np.exp(np.tanh(frames @ kernel + bias) @ queries)
    weights /= weights.sum(0)
    # Values of every frame, as in the equation of multi-head attention.
    heads = [weights[:, h] @ (frames @ values[h]) for h in range(3)]
    np.testing.assert_allclose(found[row], np.concatenate(heads), rtol=1e-4, atol=1e-6)
    attention = intermediates["attention"][row].numpy()
    np.testing.assert_allclose(attention[:, :n], weights.T, rtol=1e-5)
    np.testing.assert_array_equal(attention[:, n:], 0)


def test_without_scores_every_head_is_the_mean():
  x = np.random.default_rng(0).normal(size=(1, 5, 4)).astype(np.float32)
  layer = models.AttentionPooling(num_heads=2, units=8, hidden=3)
  layer.build((None, None, 4))
  layer.scores.score.set_weights([np.zeros((3, 2))])
  layer.values.assign(np.stack([np.eye(4), 2 * np.eye(4)]))
  mean = x[0].mean(0)
  np.testing.assert_allclose(layer(tf.constant(x))[0][0], np.append(mean, 2 * mean),
                             rtol=1e-5)


def test_row_without_frames_is_zero():
  layer = models.AttentionPooling(num_heads=2, units=4, hidden=3)
  found, intermediates = layer(tf.ones([1, 3, 4]), frame_mask=tf.fill([1, 3], False))
  np.testing.assert_array_equal(found, 0)
  np.testing.assert_array_equal(intermediates["attention"], 0)


def test_units_must_be_shared_among_the_heads():
  with pytest.raises(ValueError, match="units=10.*num_heads=4"):
    models.AttentionPooling(num_heads=4, units=10)
