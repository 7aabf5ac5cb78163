# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frame sampling: indices as the starter code draws them, repeatable at inference."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.layers import frame_sampling

LENGTHS = np.array([1, 3, 7, 12], np.int32)


def features():
  """A feature that contains the number of its frame."""
  frames = np.tile(np.arange(12, dtype=np.float32)[None, :, None], (4, 1, 2))
  return {"x": tf.constant(frames)}


@pytest.mark.parametrize("method", frame_sampling.METHODS)
@pytest.mark.parametrize("training", [False, True])
def test_only_valid_frames_are_sampled(method, training):
  layer = frame_sampling.FrameSampling(5, method)
  sampled, num_frames = layer(features(), tf.constant(LENGTHS), training=training)
  assert sampled["x"].shape == (4, 5, 2)
  np.testing.assert_array_equal(num_frames, 5)
  assert np.all(sampled["x"].numpy() < LENGTHS[:, None, None])


def test_inference_is_deterministic_and_evenly_spaced():
  layer = frame_sampling.FrameSampling(4, "random_frames")
  for _ in range(2):
    sampled, _ = layer(features(), tf.constant(LENGTHS), training=False)
    np.testing.assert_array_equal(
        sampled["x"][:, :, 0], [[0, 0, 0, 0], [0, 1, 1, 2], [0, 2, 4, 6], [1, 4, 7, 10]])


@pytest.mark.parametrize("method", frame_sampling.METHODS)
@pytest.mark.parametrize("training", [False, True])
def test_a_short_video_is_padded_where_frames_may_not_repeat(method, training):
  layer = frame_sampling.FrameSampling(5, method, repeat=False)
  sampled, num_frames = layer(features(), tf.constant(LENGTHS), training=training)
  np.testing.assert_array_equal(num_frames, [1, 3, 5, 5])
  assert np.all(sampled["x"].numpy() < LENGTHS[:, None, None])
  if not (training and method == "random_frames"):  # they are drawn with replacement
    np.testing.assert_array_equal(sampled["x"][1, :3, 0], [0, 1, 2])


def test_long_videos_are_sampled_alike_whether_frames_may_repeat_or_not():
  for training in (False, True):
    found = [frame_sampling.FrameSampling(4, seed=3, repeat=repeat)(
        features(), tf.constant(LENGTHS), training=training)[0]["x"][2:]
             for repeat in (False, True)]
    np.testing.assert_array_equal(*found)


def test_training_draws_anew_and_repeats_under_a_seed():
  def draw(layer):
    return layer(features(), tf.constant(LENGTHS), training=True)[0]["x"].numpy()

  layer, twin = [frame_sampling.FrameSampling(5, seed=3) for _ in range(2)]
  first, second = draw(layer), draw(layer)
  assert np.any(first != second)
  np.testing.assert_array_equal(draw(twin), first)
  other = frame_sampling.FrameSampling(5, seed=4)
  assert np.any(draw(other) != first)


def test_random_frames_are_uniform():
  layer = frame_sampling.FrameSampling(3000, "random_frames")
  sampled, _ = layer(features(), tf.constant(LENGTHS), training=True)
  counts = np.bincount(sampled["x"].numpy()[3, :, 0].astype(int), minlength=12)
  assert np.all(np.abs(counts - 250) < 5 * np.sqrt(250))


def test_a_random_sequence_is_contiguous():
  layer = frame_sampling.FrameSampling(5, "random_sequence")
  starts = set()
  for _ in range(60):
    frames = layer(features(), tf.constant(LENGTHS), training=True)[0]["x"][:, :, 0]
    np.testing.assert_array_equal(np.diff(frames[3]), 1)
    np.testing.assert_array_equal(frames[1], [0, 1, 2, 2, 2])
    starts.add(int(frames[3, 0]))
  assert starts == set(range(8))


def test_an_unknown_method_lists_the_valid_ones():
  with pytest.raises(ValueError, match="Unknown frame sampling 'all'. Valid: random"):
    frame_sampling.FrameSampling(5, "all")
