# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The report shows the best and the worst classes, its file all of them."""

import csv

import numpy as np

from yt8m.core.vocabulary import Vocabulary
from yt8m.eval import metrics
from yt8m.eval.metrics import class_report

SCORES = [[.9, .8, .1, 0], [.2, .7, .6, 0], [.3, .9, .5, 0]]
LABELS = [[1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]]


def evaluated(labels):
  found = metrics.EvaluationMetrics(4)
  found.accumulate(SCORES, labels, 0.0)
  return found, found.get()


def test_best_and_worst_and_all(tmp_path):
  names = Vocabulary.of({0: "Game", 1: "a, \"b\"", 3: "café"}, 4)
  found, values = evaluated(LABELS)
  assert class_report.describe(names, found, values) == [
      'Best average precision: a, "b" 1.0000 (positives: 2)',
      "Worst average precision: Game 1.0000 (positives: 1)"]
  found, values = evaluated(np.array(LABELS)[::-1])
  path = tmp_path / "classes-7.csv"
  class_report.write(str(path), names, found, values)
  with open(path, encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
  assert [row["name"] for row in rows] == list(names.names)
  assert [row["class"] for row in rows] == ["0", "1", "2", "3"]
  assert [row["positives"] for row in rows] == ["1", "2", "1", "0"]
  precisions = [row["average_precision"] for row in rows]
  assert precisions[3] == "" and [*map(float, precisions[:3])] == values["aps"].tolist()


def test_a_single_class_is_neither_best_nor_worst():
  found, values = evaluated(np.eye(3, 4) * [1, 0, 0, 0])
  assert class_report.describe(Vocabulary.of({}, 4), found, values) == []
