# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics of classes, groups and videos, compared with metrics of the matrices."""

import numpy as np
import pytest

from benchmarks.conditional import score_changes
from yt8m.eval.metrics import streaming
from yt8m.eval.metrics.average_precision import average_precision

N, C, K = 60, 12, 5


@pytest.fixture(name="scored")
def _scored():
  rng = np.random.default_rng(0)
  scores = rng.random((N, C), np.float32)
  labels = rng.random((N, C)) < np.linspace(0.6, 0.0, C)
  metrics = streaming.EvaluationMetrics(C, K)
  for start in range(0, N, 25):  # batches of different sizes
    rows = slice(start, start + 25)
    metrics.accumulate(scores[rows], labels[rows], loss=0.0)
  return scores, labels, metrics


def test_top_lists_are_those_of_the_videos(scored):
  scores, labels, metrics = scored
  top, classes, hits = score_changes.top_lists(metrics)
  order = np.argsort(-scores, axis=1)[:, :K]
  np.testing.assert_array_equal(classes, order)
  np.testing.assert_array_equal(top, np.take_along_axis(scores, order, axis=1))
  np.testing.assert_array_equal(hits, np.take_along_axis(labels, order, axis=1))


def test_classes_have_their_average_precision(scored):
  scores, labels, metrics = scored
  precision = score_changes.by_class(metrics)
  assert np.isnan(precision[-1]) and not labels[:, -1].any()
  assert np.nanmean(precision) == pytest.approx(
      streaming.mean_average_precision(scores, labels, K))


def test_groups_have_the_gap_of_the_lists_without_other_classes(scored):
  scores, labels, metrics = scored
  groups = np.arange(C) % 3
  in_top = np.argsort(np.argsort(-scores, axis=1), axis=1) < K
  expected = [
      average_precision(scores[:, groups == g][in_top[:, groups == g]],
                        labels[:, groups == g][in_top[:, groups == g]],
                        total_positives=labels[:, groups == g].sum()) for g in range(3)]
  np.testing.assert_allclose(
      score_changes.by_group(metrics, groups, 4), [*expected, 0.0])
  one = score_changes.by_group(metrics, np.zeros(C, int), 1)
  np.testing.assert_allclose(one, streaming.gap(scores, labels, K))


def test_videos_have_their_average_precision(scored):
  scores, labels, metrics = scored
  expected = [streaming.gap(scores[v:v + 1], labels[v:v + 1], K) for v in range(N)]
  np.testing.assert_allclose(
      score_changes.by_video(metrics, labels.sum(axis=1)), expected)


def test_changed_most_by_hand():
  before = np.array([0.5, 0.2, 0.2, 0.9, np.nan, 0.4, 0.1])
  after = np.array([0.6, 0.7, 0.7, 0.1, 0.5, 0.4, 1.0])
  eligible = np.array([True] * 6 + [False])
  gained, lost = score_changes.changed_most(before, after, (2, 3), eligible)
  assert gained.tolist() == [1, 2]  # of equal ones the first
  assert lost.tolist() == [3]  # no other class lost
  gained, _ = score_changes.changed_most(before, after, (9, 0), eligible)
  assert gained.tolist() == [1, 2, 0]  # no change is not a gain
