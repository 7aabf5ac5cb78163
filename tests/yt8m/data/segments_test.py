# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Cutting videos into segments."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from yt8m.data import segments


@needs_goldens
@pytest.mark.parametrize("case", [1, 2])
def test_matches_the_starter_code(case):
  golden, _ = load_golden("csv_get_segments")
  features, num_frames, ids = segments.split_into_segments(
      golden[f"{case}/in"], golden[f"{case}/num_frames"])
  np.testing.assert_array_equal(features, golden[f"{case}/out/video_batch"])
  np.testing.assert_array_equal(num_frames, golden[f"{case}/out/num_frames_batch"])
  np.testing.assert_array_equal(ids, golden[f"{case}/out/video_segment_ids"])


@needs_goldens
def test_lengths_that_failed_in_the_starter_code():
  golden, _ = load_golden("csv_get_segments")
  frames, num_frames = golden["0/in"], golden["0/num_frames"]
  features, counts, ids = segments.split_into_segments(frames, num_frames)
  assert features.shape == (3 + 1 + 1 + 2, 5, 3)
  np.testing.assert_array_equal(
      ids, [(0, 0), (0, 5), (0, 10), (1, 0), (2, 0), (3, 0), (3, 5)])
  np.testing.assert_array_equal(counts, [5, 5, 2, 5, 1, 5, 3])
  for segment, count, (row, start) in zip(features, counts, ids, strict=True):
    np.testing.assert_array_equal(segment[:count], frames[row, start:start + count])


@pytest.mark.parametrize("segment_frames", [1, 3, 4])
def test_segments_put_together_are_the_videos(segment_frames):
  num_frames = [7, 1, 4, 6]
  video = np.arange(4 * 7 * 2, dtype=np.uint8).reshape(4, 7, 2) + 1
  video[np.arange(7) >= np.array(num_frames)[:, np.newaxis]] = 0
  cut, counts, ids = tf.function(segments.split_into_segments)(
      {"rgb": video}, num_frames, segment_frames)
  assert cut["rgb"].dtype == tf.uint8
  for row, length in enumerate(num_frames):
    mine = ids[:, 0] == row
    np.testing.assert_array_equal(
        np.concatenate(cut["rgb"][mine])[:length], video[row, :length])
    assert np.sum(counts[mine]) == length
