# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Means, deviations, paired differences and kinds of labels, computed by hand."""

import math

import numpy as np
import pytest

from yt8m.core import markdown
from yt8m.eval.ablations import results
from yt8m.eval.ablations import table

# Class 0 is the parent of 1 … 4; 1 and 2 are twins, and so are 3 and 4.
TRUTH = {"kinds": np.array(["implied", "order", "order", "order", "order", "seen"]),
         "twins": np.array([0, 2, 1, 4, 3, 5])}


def row_results(name, gaps):
  return results.RowResults(table.Row(name, {}),
                            {seed: {"gap": gap} for seed, gap in gaps.items()})


def test_mean_deviation_and_error():
  mean, deviation = markdown.mean_and_deviation([1.0, 2.0, 6.0])
  assert (mean, deviation) == (3.0, pytest.approx(math.sqrt((4 + 1 + 9) / 2)))
  assert markdown.mean_and_error([1.0, 2.0, 6.0]) == (
      3.0, pytest.approx(math.sqrt(7 / 3)))
  assert math.isnan(markdown.mean_and_deviation([1.0])[1])


def test_differences_pair_equal_seeds():
  one = row_results("a", {0: 0.5, 1: 0.75, 3: 1.0})
  other = row_results("b", {1: 0.5, 0: 0.25})
  assert one.differences("gap", other) == [0.25, 0.25]
  assert one.values("gap") == [0.5, 0.75, 1.0] and one.values("other") == []


def test_kinds_of_labels():
  assert results.classes_by_kind(TRUTH) == {
      "implied": [0], "seen": [5], "order": [1, 2, 3, 4], "order_top": [1, 2]}


def test_columns_average_over_the_classes_that_occur():
  result = {"evaluation": {"num_parameters": 7, "gap": 0.1, "map": 0.2,
                           "avg_hit_at_one": 0.3,
                           "average_precision": {"0": 1.0, "1": 0.5, "3": 0.1}},
            "train_examples_per_second": None,
            "seconds": {"yt8m-train": 2.0, "yt8m-eval": 1.0}}
  columns = results.columns(result, TRUTH)
  assert columns["map_order"] == pytest.approx(0.3)
  assert columns["map_order_top"] == 0.5 and columns["map_implied"] == 1.0
  assert columns["map_seen"] is None
  assert columns["train_seconds"] == 2.0 and columns["parameters"] == 7
  assert not [name for name in results.columns(result) if name.startswith("map_")]
