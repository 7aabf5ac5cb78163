# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Means, deviations, paired differences and kinds of labels, computed by hand."""

import math
import os

import numpy as np
import pytest

from yt8m.core import fields
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
                           "avg_hit_at_one": 0.3, "ece": 0.1, "log_loss": 1,
                           "average_precision": {"0": 1.0, "1": 0.5, "3": 0.1}},
            "train_examples_per_second": None,
            "seconds": {"yt8m-train": 2.0, "yt8m-eval": 1.0}}
  columns = results.columns(result, TRUTH)
  assert columns["map_order"] == pytest.approx(0.3)
  assert columns["map_order_top"] == 0.5 and columns["map_implied"] == 1.0
  assert columns["map_seen"] is None
  assert columns["train_seconds"] == 2.0 and columns["parameters"] == 7
  assert not [name for name in results.columns(result) if name.startswith("map_")]


@pytest.mark.parametrize("changes", [
    {"train_examples_per_second": "x"}, {"seconds": {"yt8m-train": "=cmd()"}},
    {"evaluation": {"num_parameters": 10**400, "gap": 0, "map": 0,
                    "avg_hit_at_one": 0, "ece": 0.1, "log_loss": 1}}])
def test_what_is_no_number_is_an_error(changes):
  result = {"evaluation": {"num_parameters": 7, "gap": 0.1, "map": 0.2,
                           "avg_hit_at_one": 0.3, "ece": 0.1, "log_loss": 1},
            "train_examples_per_second": None, "seconds": {}}
  results.columns(result)
  with pytest.raises(fields.UNFIT):
    results.columns({**result, **changes})


def test_other_entries_of_the_times_are_left_out():
  result = {"evaluation": {"num_parameters": 7, "gap": 0.1, "map": 0.2,
                           "avg_hit_at_one": 0.3, "ece": 0.1, "log_loss": 1},
            "train_examples_per_second": None, "seconds": {"\x1b[31m": 1.0}}
  assert not [name for name in results.columns(result) if name.endswith("_seconds")]


@pytest.mark.parametrize("content", [b"PK\3\4garbage", b"no archive", "pipe", "other"])
def test_a_ground_truth_that_is_not_ours(tmp_path, content):
  path = tmp_path / "ground_truth.npz"
  if content == "pipe":
    os.mkfifo(path)
  elif content == "other":
    np.savez(path, twins=np.zeros(2))
  else:
    path.write_bytes(content)
  with pytest.raises((ValueError, OSError), match="ground_truth.npz.*(: delete|a pipe)"):
    results.read_ground_truth(str(path))
