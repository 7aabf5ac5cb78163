# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from yt8m.eval.blending import averaging
from yt8m.eval.blending import gap
from yt8m.eval.metrics import streaming
from yt8m.eval.metrics.average_precision import average_precision
from yt8m.eval.metrics.average_precision import average_precision_of_sorted


def slots_of(dense, labels, rng, padding=3):
  """`(blended, hits)`: classes with a score > 0 and some others, ascending, padded."""
  n, num_classes = dense.shape
  used = (dense > 0) | (rng.random(dense.shape) < 0.2)
  width = used.sum(axis=1).max() + padding
  blended, hits = np.zeros((n, width), np.float32), np.zeros((n, width), bool)
  for i in range(n):
    classes = np.flatnonzero(used[i])
    blended[i, :len(classes)] = dense[i, classes]
    hits[i, :len(classes)] = labels[i, classes]
  return blended, hits


@settings(deadline=None, max_examples=150)
@given(seed=st.integers(0, 10**6), num_values=st.sampled_from([2, 4, 30, 10**6]),
       top_k=st.sampled_from([1, 3, 20]), n=st.integers(1, 30))
def test_equals_the_metric_of_the_dense_matrix(seed, num_values, top_k, n):
  rng = np.random.default_rng(seed)
  dense = rng.integers(1, num_values + 1, (n, 40)).astype(np.float32) / num_values
  dense[rng.random(dense.shape) < 0.4] = 0
  dense[np.count_nonzero(dense, axis=1) < top_k] += 0.01
  labels = rng.random(dense.shape) < 0.15
  blended, hits = slots_of(dense, labels, rng)
  ours = gap.gap(blended, hits, labels.sum(), top_k)
  assert ours == pytest.approx(streaming.gap(dense, labels, top_k), abs=1e-12)


def test_of_equal_scores_the_lower_class_is_among_the_top_k():
  blended = np.full((1, 30), 0.5, np.float32)
  for slot in range(30):
    hits = np.arange(30)[np.newaxis] == slot
    value = gap.gap(blended, hits, 1)
    expected = average_precision(np.ones(20), np.arange(20) == 0) if slot < 20 else 0
    assert value == pytest.approx(expected, abs=1e-12)


def test_what_nobody_scored_is_no_prediction():
  blended = np.zeros((2, 25), np.float32)
  blended[0, 3] = 0.7
  hits = np.zeros((2, 25), bool)
  hits[0, 3] = hits[1, 0] = True
  assert gap.gap(blended, hits, 2) == 0.5
  assert gap.gap(blended[:, :5], hits[:, :5], 2) == 0.5  # fewer slots than 20


def test_labels_in_no_slot_are_missed():
  blended, hits = np.ones((1, 1), np.float32), np.ones((1, 1), bool)
  assert gap.gap(blended, hits, 1) == 1
  assert gap.gap(blended, hits, 4) == 0.25


def test_without_positives_gap_is_0():
  assert gap.gap(np.ones((3, 30), np.float32), np.zeros((3, 30), bool), 0) == 0


def test_only_the_order_of_scores_matters():
  rng = np.random.default_rng(1)
  blended = rng.random((50, 32), dtype=np.float32)
  hits = rng.random((50, 32)) < 0.1
  value = gap.gap(blended, hits, 200)
  assert gap.gap(4 * blended, hits, 200) == value
  order = rng.permutation(50)
  assert gap.gap(blended[order], hits[order], 200) == value


def test_errors():
  blended, hits = np.ones((3, 30), np.float32), np.zeros((3, 30), bool)
  with pytest.raises(ValueError, match=r"\(3, 30\) and hits \(2, 30\)"):
    gap.gap(blended, hits[:2], 1)
  with pytest.raises(ValueError, match="^top_k=0"):
    gap.gap(blended, hits, 1, top_k=0)
  blended[1, 7] = np.nan
  with pytest.raises(ValueError, match="video 1 hold NaN"):
    gap.gap(blended, hits, 1)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=40),
       st.integers(0, 5))
def test_sorted_list_has_the_same_average_precision(pairs, missed):
  scores = np.array([score for score, _ in pairs], np.float32)
  labels = np.array([label for _, label in pairs], bool)
  total = labels.sum() + missed
  ours = average_precision_of_sorted(np.sort(scores), scores[labels], total)
  assert ours == pytest.approx(average_precision(scores, labels, None, total), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_scorer_scores_the_sum(dtype):
  rng = np.random.default_rng(2)
  transformed = rng.random((7, 40, 30)).astype(dtype)
  hits = rng.random((40, 30)) < 0.1
  scorer = gap.BlendScorer(transformed, hits, hits.sum())
  for _ in range(60):
    *models, added = rng.permutation(7)[:rng.integers(1, 7)].tolist()
    weights = tuple(rng.random(len(models)))
    total = np.float32(0.3) * transformed[added].astype(np.float32)
    if models:
      total += averaging.blend(transformed[models], weights)
    assert scorer(tuple(models), weights, added, 0.3) == gap.gap(total, hits, hits.sum())


def test_threads_share_a_scorer():
  rng = np.random.default_rng(3)
  transformed = rng.random((6, 40, 30), dtype=np.float32)
  hits = rng.random((40, 30)) < 0.1
  subsets = [(i, j, k) for i in range(6) for j in range(6) for k in range(6)
             if len({i, j, k}) == 3]
  alone = gap.BlendScorer(transformed, hits, hits.sum())
  expected = {subset: alone(subset[:2], (1.0, 2.0), subset[2]) for subset in subsets}
  shared, scores = gap.BlendScorer(transformed, hits, hits.sum()), {}

  def work(order):
    for i in order:
      scores[subsets[i]] = shared(subsets[i][:2], (1.0, 2.0), subsets[i][2])

  order = rng.permutation(len(subsets))
  threads = [threading.Thread(target=work, args=(half,)) for half in np.split(order, 2)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert scores == expected
