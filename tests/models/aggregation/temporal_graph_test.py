# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The temporal dependency network, compared with a numpy twin; planted scenes."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models.layers import dependency_graph
from yt8m.models.layers import masking


def level_twin(layer, x, segments):
  """Numpy twin for one video: adjacency, messages in given segments, pooled segments."""
  f = x @ layer.kernel.kernel.numpy()
  adjacency = np.maximum(f @ f.T, 0)
  edges = np.where(segments[:, None] == segments, adjacency, 0)
  edges /= edges.sum(1, keepdims=True)
  kernel, bias = layer.message.get_weights()
  y = x + np.maximum(edges @ x @ kernel + bias, 0)
  gamma, beta = layer.norm.get_weights()
  y = (y - y.mean(1, keepdims=True)) / np.sqrt(y.var(1, keepdims=True) + 1e-6)
  y = y * gamma + beta
  kernel, bias = layer.scores.hide.get_weights()
  weights = np.exp(np.tanh(y @ kernel + bias) @ layer.scores.score.get_weights()[0])
  pooled = [(weights[segments == k] * y[segments == k]).sum(0)
            / weights[segments == k].sum() for k in range(segments.max() + 1)]
  return adjacency, np.array(pooled)


def scenes(sizes, dim=16, seed=0):
  """Frames of scenes with the given sizes: one direction a scene, plus noise."""
  rng = np.random.default_rng(seed)
  x = np.repeat(rng.normal(size=(len(sizes), dim)), sizes, axis=0)
  return (x + 0.3 * rng.normal(size=x.shape)).astype(np.float32)


def randomized(layer, input_shape, seed=0):
  layer.build(input_shape)
  descriptors.randomize(layer, seed)
  return layer


def test_numpy_twin():
  lengths = [9, 4]
  layer = randomized(models.TemporalGraph(num_segments=3, kernel_units=8, hidden=3),
                     (None, None, 16))
  x = np.stack([scenes([3, 2, 4]), scenes([4, 5], seed=1)])
  mask = masking.frame_mask(tf.constant(lengths), 9)
  found, intermediates = layer(tf.constant(x), frame_mask=mask)
  for row, n in enumerate(lengths):
    segments = intermediates["segments"][row].numpy()
    np.testing.assert_array_equal(segments[n:], -1)
    adjacency, nodes = level_twin(layer.frames, x[row, :n], segments[:n])
    np.testing.assert_allclose(
        intermediates["adjacency"][row, :n, :n], adjacency, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(intermediates["adjacency"][row, n:], 0)
    between, [video] = level_twin(layer.scenes, nodes, np.zeros(len(nodes), int))
    np.testing.assert_allclose(found[row], video, rtol=1e-3, atol=1e-4)
    k = len(nodes)
    np.testing.assert_allclose(
        intermediates["segment_adjacency"][row, :k, :k], between, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(intermediates["segment_adjacency"][row, k:], 0)


def test_planted_scenes_are_the_segments():
  sizes = [5, 4, 8, 3]
  layer = models.TemporalGraph(kernel_units=16)
  _, intermediates = layer(tf.constant(scenes(sizes, dim=64)[None]))
  np.testing.assert_array_equal(
      intermediates["segments"][0], np.repeat(np.arange(4), sizes))


def test_messages_stay_inside_segments():
  """The content of a frame changes its own segment and no other."""
  layer = randomized(dependency_graph.DependencyGraph(2, kernel_units=16, hidden=3),
                     (None, None, 16))
  x = scenes([4, 5])
  before, mask, intermediates = layer(tf.constant(x[None]))
  np.testing.assert_array_equal(intermediates["segments"][0], [0] * 4 + [1] * 5)
  np.testing.assert_array_equal(mask, [[True, True]])
  x[1] *= 1.1
  after, _, intermediates = layer(tf.constant(x[None]))
  np.testing.assert_array_equal(intermediates["segments"][0], [0] * 4 + [1] * 5)
  assert np.abs(after[0, 0] - before[0, 0]).max() > 1e-4
  np.testing.assert_allclose(after[0, 1], before[0, 1], atol=1e-6)


def test_row_without_frames():
  layer = randomized(models.TemporalGraph(num_segments=3, kernel_units=4, hidden=3),
                     (None, None, 16))
  mask = masking.frame_mask(tf.constant([0, 3]), 5)
  with tf.GradientTape() as tape:
    found, intermediates = layer(tf.fill([2, 5, 16], 0.5), frame_mask=mask)
    total = tf.reduce_sum(found ** 2)
  np.testing.assert_array_equal(found[0], 0)
  np.testing.assert_array_equal(intermediates["segments"][0], -1)
  for gradient in tape.gradient(total, layer.trainable_variables):
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("num_frames", [1, 2, 300])
def test_videos_of_any_length(num_frames):
  x = np.random.default_rng(0).normal(size=(2, num_frames, 8)).astype(np.float32)
  found, intermediates = models.TemporalGraph(num_segments=4)(tf.constant(x))
  assert found.shape == (2, 8) and np.all(np.isfinite(found))
  assert intermediates["segments"].shape == (2, num_frames)


def test_the_scenes_come_out_of_the_model():
  model = models.VideoModel(4, descriptors.SPECS["frame"], aggregation="temporal_graph")
  outputs = model(descriptors.batch("frame"))
  assert outputs["adjacency"].shape == (5, 7, 7)
  assert outputs["segments"].shape == (5, 7)
  assert outputs["segment_adjacency"].shape == (5, 16, 16)
