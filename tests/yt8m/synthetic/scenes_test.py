# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scenes and ratings of the sample data."""

import numpy as np
import pytest

from yt8m.synthetic import scenes
from yt8m.synthetic.scenes import Event
from yt8m.synthetic.scenes import Video


@pytest.fixture
def rng():
  return np.random.default_rng(0)


def video(num_frames, *events):
  events = [Event(label, "rgb", 0, start, np.ones(stop - start))
            for label, start, stop in events]
  return Video(np.array([0]), np.array([0, num_frames]), events, {})


@pytest.mark.parametrize("max_frames", [8, 40, 301])
def test_cuts_are_two_or_more_scenes_of_four_or_more_frames(rng, max_frames):
  for _ in range(300):
    cuts = scenes.draw_cuts(max_frames, rng)
    assert cuts[0] == 0 and cuts[-1] <= max_frames and len(cuts) >= 3
    assert np.diff(cuts).min() >= 4


def test_videos_are_as_long_as_the_real_ones(rng):
  lengths = [scenes.draw_cuts(301, rng)[-1] for _ in range(4000)]
  assert np.mean(lengths) == pytest.approx(230, abs=4)
  np.testing.assert_allclose(np.quantile(lengths, [.05, .25, .5, .75, .95]),
                             [129, 175, 232, 300, 300], atol=6)


def test_cuts_are_spread_over_the_whole_video(rng):
  inner = [scenes.draw_cuts(301, rng)[1:-1] / 301 for _ in range(500)]
  counts, _ = np.histogram(np.concatenate(inner), bins=5, range=(0, 0.4))
  assert counts.min() > 0.8 * counts.max()


def test_segments_are_rated_by_what_shows_in_most_of_their_frames(rng):
  ratings = scenes.rate_segments(video(24, (7, 3, 13)), rng)
  # Frames that show it: 2 in [0, 5), 5 in [5, 10), 3 in [10, 15), 0 in [15, 20).
  assert ratings == [(0, 7, 0.), (5, 7, 1.), (10, 7, 1.), (15, 7, 0.)]


def test_cues_of_one_label_are_rated_together(rng):
  ratings = scenes.rate_segments(video(5, (7, 0, 2), (7, 2, 4)), rng)
  assert ratings == [(0, 7, 1.)]


def test_at_most_five_segments_are_rated_for_labels_that_show(rng):
  ratings = scenes.rate_segments(video(60, (3, 0, 30), (5, 20, 60)), rng)
  starts = [start for start, _, _ in ratings]
  assert len(starts) == 5 and starts == sorted(set(starts)) and starts[-1] <= 55
  assert {label for _, label, _ in ratings} <= {3, 5}


def test_a_video_without_labels_has_no_ratings(rng):
  assert scenes.rate_segments(video(20), rng) == []
