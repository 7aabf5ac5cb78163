# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibration compared with loops over predictions, and values computed by hand."""

import math

import numpy as np
import pytest

from yt8m.eval import metrics
from yt8m.eval.metrics import calibration


def expected(scores, hits):
  """The three figures by loops."""
  bins = [[] for _ in range(calibration.NUM_BINS)]
  for score, hit in zip(scores, hits, strict=True):
    bins[min(int(score * calibration.NUM_BINS), calibration.NUM_BINS - 1)].append(
        (score, hit))
  gaps = [abs(sum(s - h for s, h in found)) for found in bins]
  pairs = list(zip(scores, hits, strict=True))
  return {"ece": sum(gaps) / len(scores),
          "brier": sum((s - h) ** 2 for s, h in pairs) / len(scores),
          "log_loss": -sum(math.log(s if h else max(1 - s, 1e-7))
                           for s, h in pairs) / len(scores)}


def drawn(seed, count=2000, num_classes=30):
  rng = np.random.default_rng(seed)
  scores = rng.random(count, np.float32) ** 3
  hits = rng.random(count) < scores
  classes = rng.integers(0, num_classes, count)
  num_positives = np.array([0, 1, 9, 10, 99, 100, 1000] * 5)[:num_classes]
  return scores, hits, classes, num_positives


def test_figures_equal_a_loop_over_predictions():
  scores, hits, classes, num_positives = drawn(0)
  found = calibration.measure(scores, hits, classes, num_positives)
  for name, value in expected(scores.tolist(), hits.tolist()).items():
    assert found[name] == pytest.approx(value, rel=1e-6)
  assert [(g["positives_from"], g["positives_to"], g["classes"])
          for g in found["by_frequency"]] == [
              (0, 1, 5), (1, 10, 9), (10, 100, 8), (100, 1000, 4), (1000, None, 4)]
  rare = np.isin(num_positives[classes], (1, 9))
  for name, value in expected(scores[rare].tolist(), hits[rare].tolist()).items():
    assert found["by_frequency"][1][name] == pytest.approx(value, rel=1e-6)
  assert sum(g["predictions"] for g in found["by_frequency"]) == len(scores)


def test_by_hand():
  scores = np.array([0.9, 0.9, 0.2, 0.0], np.float32)
  found = calibration.measure(
      scores, np.array([1, 0, 0, 1]), np.array([0, 1, 1, 2]), np.array([1, 0, 0]),
      rated_only=True)
  # The score of 0 is of a class that was not rated.
  assert found["ece"] == pytest.approx((abs(1.8 - 1) + 0.2) / 3)
  assert found["brier"] == pytest.approx((0.01 + 0.81 + 0.04) / 3)
  assert found["log_loss"] == pytest.approx(
      -(math.log(0.9) + math.log(0.1) + math.log(0.8)) / 3, rel=1e-6)
  assert [(row["predictions"], row["share_of_labels"]) for row in found["reliability"]
          ] == [(1, 0), (2, 0.5)]
  assert found["reliability"][0]["from"] == pytest.approx(3 / 15)


def test_the_order_does_not_change_a_bit():
  scores, hits, classes, num_positives = drawn(1)
  order = np.random.default_rng(2).permutation(len(scores))
  assert calibration.measure(scores, hits, classes, num_positives) == calibration.measure(
      scores[order], hits[order], classes[order], num_positives)


def test_perfect_and_absent_predictions():
  ones = np.ones(4, np.float32)
  found = calibration.measure(ones, np.ones(4, bool), np.zeros(4, int), np.array([4]))
  assert found["ece"] == found["brier"] == 0 and found["log_loss"] < 1e-6
  zeros = 0 * ones, np.ones(4, bool), np.zeros(4, int), np.array([4])
  assert calibration.measure(*zeros)["ece"] == calibration.measure(*zeros)["brier"] == 1
  assert calibration.measure(*zeros)["log_loss"] > 16
  none = calibration.measure(*zeros, rated_only=True)
  assert math.isnan(none["ece"]) and none["reliability"] == []


def test_evaluation_measures_the_best_classes_of_every_video():
  evaluation = metrics.EvaluationMetrics(3, top_k=2)
  evaluation.accumulate([[0.9, 0.2, 0.4], [0.1, 0.6, 0.5]], [[1, 0, 1], [1, 0, 0]], 0.0)
  values, kept = evaluation.calibration(), [0.9, 0.4, 0.6, 0.5]
  for name, value in expected(kept, [1, 1, 0, 0]).items():
    assert values[name] == pytest.approx(value, rel=1e-6)
