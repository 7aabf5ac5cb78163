# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of scene boundaries, computed by hand and by trying all pairings."""

import itertools

import numpy as np
import pytest

from benchmarks.scenes import scene_boundaries


def test_boundaries_are_where_segments_begin():
  np.testing.assert_array_equal(
      scene_boundaries.boundaries([0, 0, 1, 2, 2, -1, -1]), [2, 3])
  assert not len(scene_boundaries.boundaries([0, 0, 0]))
  assert not len(scene_boundaries.boundaries([-1, -1]))


def test_hits_by_hand():
  assert scene_boundaries.count_hits([4, 9], [9, 5]) == 1
  assert scene_boundaries.count_hits([4, 9], [9, 5], tolerance=1) == 2
  # One boundary is never matched with two others.
  assert scene_boundaries.count_hits([4, 6], [5], tolerance=1) == 1
  assert scene_boundaries.count_hits([5], [4, 6], tolerance=1) == 1
  assert scene_boundaries.count_hits([], [4, 6], tolerance=1) == 0


@pytest.mark.parametrize("tolerance", [0, 1, 2])
def test_hits_are_as_many_as_any_pairing_has(tolerance):
  rng = np.random.default_rng(0)
  for _ in range(50):
    true = rng.choice(12, rng.integers(1, 5), replace=False)
    predicted = rng.choice(12, rng.integers(1, 5), replace=False)
    few, many = sorted((true, predicted), key=len)
    best = max(sum(abs(a - b) <= tolerance for a, b in zip(few, order, strict=True))
               for order in itertools.permutations(many, len(few)))
    assert scene_boundaries.count_hits(true, predicted, tolerance) == best


def test_precision_and_recall_count_all_videos_together():
  true, predicted = [[3, 8], [5], []], [[3], [6, 9, 11], []]
  assert scene_boundaries.precision_recall(true, predicted) == (1 / 4, 1 / 3)
  assert scene_boundaries.precision_recall(true, predicted, tolerance=1) == (2 / 4, 2 / 3)
  assert scene_boundaries.precision_recall([[]], [[]]) == (0, 0)
  with pytest.raises(ValueError):
    scene_boundaries.precision_recall([[3]], [])


def test_chance_is_the_expectation():
  """k of n − 1 random frames hit each boundary with probability k / (n − 1)."""
  rng = np.random.default_rng(0)
  true = [1 + rng.choice(20, 4, replace=False) for _ in range(40)]
  predicted = [np.arange(1, 6)] * 40
  precision, recall = scene_boundaries.chance(true, predicted, [21] * 40)
  assert precision == pytest.approx(4 / 20, abs=0.01)
  assert recall == pytest.approx(5 / 20, abs=0.01)
  wider = scene_boundaries.chance(true, predicted, [21] * 40, tolerance=1)
  assert wider[0] > 0.35
  assert scene_boundaries.chance([[]], [[]], [1]) == (0, 0)
