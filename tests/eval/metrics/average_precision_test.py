# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.helpers.literal_metrics import average_precision as literal_ap
from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from tests.helpers.support import with_prefix
from yt8m.eval.metrics.average_precision import average_precision
from yt8m.eval.metrics.average_precision import average_precision_by_class


@pytest.fixture(scope="module")
def golden():
  return load_golden("metrics_ap_map")[0]


@needs_goldens
@pytest.mark.parametrize("case", range(7))
def test_golden_lists(golden, case):
  arrays = with_prefix(golden, f"ap{case}/")
  scores, labels = arrays["p"], arrays["a"]
  checked = 0
  for key in arrays:
    match = re.fullmatch(r"ap(_at_(\d+|None))?(_total(\d+))?", key)
    if not match:
      continue
    top_n = int(match[2]) if match[2] not in (None, "None") else None
    total = int(match[4]) if match[4] else None
    best, worst = (literal_ap(scores, labels, top_n, total, order) for order in (1, -1))
    ours = average_precision(scores, labels, top_n, total)
    assert worst - 1e-9 <= arrays[key] <= best + 1e-9
    assert worst - 1e-9 <= ours <= best + 1e-9
    if not arrays["ties"]:
      assert ours == pytest.approx(arrays[key], abs=1e-9)
    checked += 1
  assert checked == 10
  best, worst = arrays["bounds_best_worst"]
  assert worst - 1e-9 <= average_precision(scores, labels) <= best + 1e-9


@needs_goldens
def test_golden_empty_lists(golden):
  assert average_precision([], []) == golden["ap_empty"]
  assert average_precision([0.5, 0.2], [0, 0]) == golden["ap_nopos"]


@needs_goldens
@pytest.mark.parametrize("case", range(5))
def test_golden_lists_in_parts(golden, case):
  arrays = with_prefix(golden, f"acc{case}/")
  top_n = int(arrays["top_n"]) if arrays["top_n"] > 0 else None
  scores, labels, total = [], [], 0
  for part, expected in enumerate(arrays["peek_after_each"]):
    scores = np.append(scores, arrays[f"p{part}"])
    labels = np.append(labels, arrays[f"a{part}"])
    total += arrays[f"a{part}"].sum() + 2 * arrays["num_positives_given_as_sum_plus_2"]
    ours = average_precision(scores, labels, top_n, total)
    assert ours == pytest.approx(expected, abs=1e-6)
  assert total == arrays["total_positives"]


@needs_goldens
@pytest.mark.parametrize("case", range(4))
def test_golden_lists_by_class(golden, case):
  arrays = with_prefix(golden, f"map{case}/")
  scores, labels, classes, total = [], [], [], np.zeros(9)
  for batch, c in itertools.product(range(3), range(9)):
    part = arrays[f"b{batch}/a{c}"]
    scores.append(arrays[f"b{batch}/p{c}"])
    labels.append(part)
    classes.append(np.full(len(part), c))
    num_positives = arrays.get(f"b{batch}/num_positives")
    total[c] += part.sum() if num_positives is None else num_positives[c]
  top_n = int(arrays["top_n"]) if arrays["top_n"] > 0 else None
  aps = average_precision_by_class(
      *map(np.concatenate, (scores, labels, classes)), total, top_n)
  if arrays["filter_empty_classes"]:
    aps = aps[total > 0]
  np.testing.assert_allclose(aps, arrays["aps"], atol=1e-6)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 80), st.integers(1, 6),
       st.sampled_from([None, 1, 3, 20]), st.sampled_from([np.float32, np.float64]))
def test_equals_definition(seed, size, num_classes, top_n, dtype):
  rng = np.random.default_rng(seed)
  scores = (rng.permutation(size) - size // 2).astype(dtype) / 8
  labels = rng.random(size) < 0.3
  classes = rng.integers(num_classes, size=size)
  total = rng.integers(20, size=num_classes)
  aps = average_precision_by_class(scores, labels, classes, total, top_n)
  for c in range(num_classes):
    own = classes == c
    expected = literal_ap(scores[own], labels[own], top_n, total[c])
    assert aps[c] == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
       st.sampled_from([None, 1, 2, 4]))
def test_ties_count_as_the_mean_over_their_orders(pairs, top_n):
  scores, labels = map(list, zip(*pairs, strict=True))
  orders = [literal_ap(*zip(*order, strict=True), top_n)
            for order in itertools.permutations(pairs)]
  assert average_precision(scores, labels, top_n) == pytest.approx(
      np.mean(orders), abs=1e-12)


def test_order_of_input_changes_nothing():
  rng = np.random.default_rng(0)
  scores = rng.integers(50, size=2000).astype(np.float32) / 7
  labels = rng.random(2000) < 0.2
  order = rng.permutation(2000)
  assert average_precision(scores, labels) == average_precision(
      scores[order], labels[order])


def test_only_the_order_of_scores_matters():
  special = [-np.inf, -1.5, -1e-45, -0.0, 0.0, 1e-45, 3e-39, 0.5, 0.5, 2.0, np.inf]
  scores = np.array(special, np.float32)
  for hits in itertools.combinations(range(len(scores)), 3):
    labels = np.isin(np.arange(len(scores)), hits)
    ap = average_precision(scores, labels)
    assert ap == average_precision(scores.astype(np.float64), labels)
    assert ap == average_precision(np.unique(scores, return_inverse=True)[1], labels)


def test_float64_scores_are_not_rounded():
  scores = np.array([0.5, 0.5 + 1e-12])
  assert average_precision(scores, [0, 1]) == 1
  assert average_precision(scores, [1, 0]) == 0.5


def test_bad_input():
  with pytest.raises(ValueError, match="Score 1 is NaN"):
    average_precision([0.1, np.nan, np.nan], [0, 1, 1])
  with pytest.raises(ValueError, match=r"\(2,\), \(3,\)"):
    average_precision([0.1, 0.2], [0, 1, 1])
  with pytest.raises(ValueError, match="^top_n=0"):
    average_precision([0.1], [1], top_n=0)
