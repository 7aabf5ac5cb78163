# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Thresholds equal those of a search over all thresholds, with ties and rare classes."""

import numpy as np
import pytest

from yt8m.eval.metrics import decisions

TARGETS = ("f1", "precision=0.5", "precision=0.9", "precision=1", "cost=1:1", "cost=1:5",
           "cost=7:2")


def gains(target, hits, decided, positives):
  """The numpy twin of the targets; deciding nothing gains nothing."""
  false, missed = decided - hits, positives - hits
  name, _, value = target.partition("=")
  if name == "f1":
    return 2 * hits / (2 * hits + false + missed)
  if name == "precision":
    return decided if hits / decided >= float(value) else 0
  costs = [float(x) for x in value.split(":")]
  return costs[1] * positives - (costs[0] * false + costs[1] * missed)


def best_threshold(scores, hits, positives, target):
  """Tries every score as the threshold, the highest first."""
  best, threshold = 0, np.inf
  for score in sorted(set(scores.tolist()), reverse=True):
    at_least = scores >= score
    gain = gains(target, hits[at_least].sum(), at_least.sum(), positives)
    if gain > best:
      best, threshold = gain, score
  return threshold


def predictions(seed, num_videos=60, num_classes=7, k=4):
  """Top-k lists with many ties, and labels that are in no list."""
  rng = np.random.default_rng(seed)
  dense = rng.integers(0, 12, (num_videos, num_classes)) / 16
  labels = rng.random((num_videos, num_classes)) < dense * np.linspace(0, 1, num_classes)
  classes = np.argsort(-dense, axis=1, kind="stable")[:, :k]
  scores = np.take_along_axis(dense, classes, 1).astype(np.float32)
  return scores, np.take_along_axis(labels, classes, 1), classes, labels.sum(axis=0)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(6))
def test_every_threshold_was_tried(target, seed):
  scores, hits, classes, num_positives = predictions(seed)
  found = decisions.choose(scores, hits, classes, num_positives, target, 5)
  used, counted = scores[scores > 0], hits[scores > 0]
  together = best_threshold(used, counted, num_positives.sum(), target)
  assert np.array_equal(used >= found.global_value, used >= together)
  assert found.by_global.tolist() == (num_positives < 5).tolist()
  assert found.by_global.any() and not found.by_global.all()
  for index, positives in enumerate(num_positives):
    own = (classes == index) & (scores > 0)
    expected = together if positives < 5 else best_threshold(
        scores[own], hits[own], positives, target)
    # The threshold itself is halfway to the next lower score, and decides the same.
    assert np.array_equal(scores[own] >= found.values[index], scores[own] >= expected)
    assert np.isinf(found.values[index]) == np.isinf(expected)


def test_a_threshold_lies_halfway_to_the_next_score():
  scores, hits = np.float32([0.9, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0], bool)
  found = decisions.choose(scores, hits, np.zeros(4, int), np.array([2]), "f1", 1)
  np.testing.assert_allclose(found.values, [0.3], rtol=1e-6)
  lowest = decisions.choose(
      scores, hits, np.zeros(4, int), np.array([2]), "precision=0.5", 1)
  assert lowest.values == np.float32(0.1)  # Below it nothing is known.
  near = np.nextafter(np.float32(0.5), np.float32(1))
  found = decisions.choose(np.float32([near, 0.5]), np.array([True, False]),
                           np.zeros(2, int), np.array([1]), "precision=1", 1)
  assert found.values == near


def test_a_class_that_cannot_reach_the_precision_gets_no_threshold():
  scores, classes = np.float32([[0.9, 0.8], [0.9, 0.7]]), np.array([[0, 1], [0, 1]])
  hits = np.array([[True, True], [False, True]])
  found = decisions.choose(scores, hits, classes, np.array([9, 9]), "precision=0.9", 1)
  assert np.isinf(found.values[0]) and found.values[1] == np.float32(0.7)


def test_no_prediction_and_scores_of_0_are_never_decided():
  nothing = np.zeros((0, 3))
  found = decisions.choose(nothing, nothing > 0, nothing.astype(int), np.array([3, 0]),
                           "f1", 1)
  assert np.isinf(found.values).all() and np.isinf(found.global_value)
  found = decisions.choose(np.zeros(3), np.ones(3, bool), np.zeros(3, int),
                           np.array([3]), "f1", 1)
  assert np.isinf(found.values).all()


def test_precision_recall_and_f1_by_hand():
  classes = np.array([[0, 1], [0, 2], [1, 0]])
  decided = np.array([[1, 1], [1, 0], [0, 0]], bool)
  hits = np.array([[1, 0], [0, 1], [0, 1]], bool)
  found = decisions.Decisions.of(decided, hits, classes, np.array([2, 0, 2, 0]))
  assert found.precision.tolist() == [0.5, 0, 0, 0]
  assert found.recall.tolist() == [0.5, 0, 0, 0] and found.f1.tolist() == [0.5, 0, 0, 0]
  assert found.summary() == {
      "micro_precision": 1 / 3, "micro_recall": 0.25, "micro_f1": 2 / 7,
      "macro_precision": 0.25, "macro_recall": 0.25, "macro_f1": 0.25}
  assert decisions.format_summary(found.summary()).startswith(
      "micro precision 0.3333, recall 0.2500, F1 0.2857 | macro")


@pytest.mark.parametrize("target, error", [
    ("", "Unknown target ''.*Write --choose_thresholds=f1"),
    ("F1", "Unknown target 'F1'. Valid: f1,"), ("f1=0.5", "is no target. Write"),
    ("precision", "no target"), ("precision=0", "no target"),
    ("precision=1.1", "no target"), ("precision=nan", "no target"),
    ("precision=0.5:0.5", "no target"), ("cost=1", "no target"),
    ("cost=1:0", "no target"), ("cost=1:inf", "no target"), ("cost=-1:2", "no target"),
    ("cost=1:2:3", "no target"), ("recall=0.9", "Unknown target 'recall'")])
def test_what_is_no_target(target, error):
  with pytest.raises(ValueError, match=error):
    decisions.gain_of(target)
