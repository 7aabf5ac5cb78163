# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.helpers import literal_metrics
from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from tests.helpers.support import with_prefix
from yt8m.eval.metrics import streaming

CASES = ("A_plain20", "B_zero_labels60", "C_ties30", "D_ties15_k_all",
         "E_all_zero_pred", "F_negative_scores", "H_segment_masked")
WITHOUT_TIES = "A_plain20", "B_zero_labels60", "F_negative_scores"


def assert_parity(ours, reference, worst, best):
  """Both are within the bounds, and equal to 1e-6 where the bounds coincide."""
  for value in (ours, reference):
    assert worst - 5e-7 <= value <= best + 5e-7


def accumulated(batches, *args):
  result = streaming.EvaluationMetrics(*args)
  for batch in batches:
    result.accumulate(*batch)
  return result


def golden_batches(case):
  return [[case[f"b{b}/{key}"] for key in ("predictions", "labels", "loss")]
          for b in range(sum(key.endswith("/loss") for key in case))]


@pytest.fixture(scope="module")
def golden():
  return load_golden("metrics_eval_util")[0]


@needs_goldens
@pytest.mark.parametrize("name", CASES)
def test_golden_functions(golden, name):
  case = with_prefix(golden, f"{name}/")
  for b, (predictions, labels, loss) in enumerate(golden_batches(case)):
    for top_k in (1, 5, 20):
      worst, best = (literal_metrics.metrics(predictions, labels, top_k, tie_order=order)
                     for order in (-1, 1))
      ours = {
          "hit_at_one": streaming.hit_at_k(predictions, labels),
          "perr": streaming.precision_at_equal_recall_rate(predictions, labels),
          f"gap_top{top_k}": streaming.gap(predictions, labels, top_k)}
      for key, bound in zip(ours, ("avg_hit_at_one", "avg_perr", "gap"), strict=True):
        assert_parity(ours[key], case[f"b{b}/{key}"], worst[bound], best[bound])
    result = streaming.EvaluationMetrics(labels.shape[1]).accumulate(
        predictions, labels, loss)
    assert list(result) == ["hit_at_one", "perr", "loss"]
    assert result == pytest.approx({key: ours.get(key, np.mean(loss)) for key in result})
    for key, per_batch in case.items():
      if key.endswith("/per_batch"):
        assert result["loss"] == pytest.approx(per_batch[b][2], abs=1e-6)


@needs_goldens
@pytest.mark.parametrize("name", CASES)
def test_golden_evaluation(golden, name):
  case = with_prefix(golden, f"{name}/")
  batches = golden_batches(case)
  predictions, labels = (np.concatenate([batch[i] for batch in batches])
                         for i in (0, 1))
  variants = {key.split("/")[0] for key in case if key.startswith("em_")}
  assert variants
  for variant in variants:
    top_k, top_n = re.fullmatch(r"em_topk(\d+)_topn(\d+|None)", variant).groups()
    args = int(top_k), None if top_n == "None" else int(top_n)
    expected = with_prefix(case, f"{variant}/")
    ours = accumulated(batches, labels.shape[1], *args)
    result = ours.get()
    np.testing.assert_array_equal(ours.num_positives, expected["class_positives"])
    assert result["avg_loss"] == pytest.approx(expected["avg_loss"], abs=1e-6)
    worst, best = (literal_metrics.metrics(predictions, labels, *args, tie_order=order)
                   for order in (-1, 1))
    for key in ("avg_hit_at_one", "avg_perr", "gap", "map"):
      assert_parity(result[key], expected[key], worst[key], best[key])
      if f"tie_best/{key}" in expected:
        assert_parity(result[key], expected[key], expected[f"tie_worst/{key}"],
                      expected[f"tie_best/{key}"])
    assert result["aps"].shape == expected["aps"].shape
    # Among ties at the border of the top k, one class enters its list instead of
    # another: only the mean over classes has bounds then.
    if name != "C_ties30":
      for values in zip(result["aps"], expected["aps"], worst["aps"], best["aps"],
                        strict=True):
        assert_parity(*values)
    if name in WITHOUT_TIES:
      list_sizes = np.bincount(ours.state()["codes"] >> 1, minlength=labels.shape[1])
      np.testing.assert_array_equal(
          np.minimum(list_sizes, args[1] or len(labels)), expected["class_heap_size"])


@needs_goldens
def test_golden_no_labels(golden):
  predictions = golden["G_no_labels/predictions"]
  ours = streaming.EvaluationMetrics(predictions.shape[1])
  ours.accumulate(predictions, np.zeros_like(predictions), 0.0)
  result = ours.get()
  assert len(result.pop("aps")) == golden["G_no_labels/n_aps"] == 0
  assert set(result.values()) == {0.0}
  assert streaming.mean_average_precision(predictions, np.zeros_like(predictions)) == 0


def random_batches(sizes, num_classes, label_rate=0.1, levels=None, seed=0):
  """Batches of predictions, labels and losses; `levels` distinct scores only."""
  rng = np.random.default_rng(seed)
  for size in sizes:
    predictions = rng.random((size, num_classes), np.float32)
    if levels:
      predictions = np.float32(np.floor(predictions * levels) / levels)
    yield predictions, rng.random(predictions.shape) < label_rate, rng.random(size)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 12),
       st.lists(st.integers(1, 9), min_size=1, max_size=3),
       st.sampled_from([None, 1, 4]), st.sampled_from([0, 0.05, 0.5]))
def test_equals_definition(seed, num_classes, top_k, sizes, top_n, label_rate):
  rng = np.random.default_rng(seed)
  shape = sum(sizes), num_classes
  labels = rng.random(shape) < label_rate
  predictions = rng.random(shape) + labels / 2 - 0.3
  expected = literal_metrics.metrics(predictions, labels, top_k, top_n)
  cuts = np.cumsum(sizes)[:-1]
  batches = zip(np.split(predictions, cuts), np.split(labels, cuts), itertools.repeat(0))
  result = accumulated(batches, num_classes, top_k, top_n).get()
  np.testing.assert_allclose(result.pop("aps"), expected.pop("aps"), atol=1e-9)
  assert result.pop("avg_loss") == 0
  assert result == pytest.approx(expected, abs=1e-9)
  assert streaming.gap(predictions, labels, top_k) == result["gap"]
  assert streaming.mean_average_precision(
      predictions, labels, top_k, top_n) == result["map"]
  assert streaming.hit_at_k(predictions, labels) == result["avg_hit_at_one"]
  assert streaming.precision_at_equal_recall_rate(
      predictions, labels) == pytest.approx(result["avg_perr"], abs=1e-12)


def test_equals_definition_with_thousands_of_classes():
  rng = np.random.default_rng(0)
  labels = rng.random((30, 3000)) < 0.01
  predictions = rng.random(labels.shape) + labels / 2
  assert labels.sum(axis=1).max() > 20  # PERR uses more than the top k
  expected = literal_metrics.metrics(predictions, labels)
  result = accumulated([(predictions, labels, 0)], 3000).get()
  for key, value in expected.items():
    np.testing.assert_allclose(result[key], value, atol=1e-9)


def test_values_by_hand():
  predictions = [[0.9, 0.8, 0.1], [0.7, 0.2, 0.6], [0.3, 0.4, 0.0], [0.5, 0.5, 0.5]]
  labels = [[1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]]
  assert streaming.hit_at_k(predictions, labels) == 1 / 4
  assert streaming.hit_at_k(predictions, labels, k=2) == 2 / 4
  assert streaming.hit_at_k(predictions, labels, k=9) == 3 / 4
  # The third video's label has score 0, the fourth has no label.
  assert streaming.precision_at_equal_recall_rate(predictions, labels) == (1 + 0.5) / 4
  # Hits at ranks 1 (0.9) and 4 (0.6), of 4 positives.
  assert streaming.gap(predictions, labels, top_k=2) == (1 + 2 / 4) / 4
  # Class 0: 1. Class 1: its label is outside the top 2. Class 2: 1 of 2 found.
  assert streaming.mean_average_precision(
      predictions, labels, top_k=2) == pytest.approx((1 + 0 + 1 / 2) / 3)


def test_merging_in_any_order_and_form_gives_the_same_bits(tmp_path):
  batches = list(random_batches([7, 1, 12, 5], 30, levels=9))
  expected = accumulated(batches, 30, 5).get()
  for number, order in enumerate(itertools.permutations(range(4))):
    workers = [accumulated([batches[i]], 30, 5) for i in order]
    path = tmp_path / f"{number}.npz"
    np.savez(path, **workers[-1].state())
    with np.load(path) as state:
      workers[-1] = streaming.EvaluationMetrics.from_state(state)
    merged = streaming.EvaluationMetrics(30, 5)
    for worker in workers:
      merged.merge(worker)
    result = merged.get()
    assert merged.num_examples == 25
    np.testing.assert_array_equal(result["aps"], expected["aps"])
    assert {**result, "aps": None} == {**expected, "aps": None}


def test_cutting_into_batches_changes_nothing():
  (predictions, labels, loss), = random_batches([24], 30, levels=9)
  expected = accumulated([(predictions, labels, loss)], 30, 5, 3).get()
  order = np.random.default_rng(1).permutation(24)
  rows = [order[:1], order[1:11], order[11:]]
  result = accumulated(
      [(predictions[i], labels[i], loss[i]) for i in rows], 30, 5, 3).get()
  np.testing.assert_array_equal(result.pop("aps"), expected.pop("aps"))
  assert result.pop("avg_loss") == pytest.approx(expected.pop("avg_loss"), rel=1e-15)
  assert result == expected


def test_loss_is_the_mean_over_videos():
  batches = [(p, q, loss.mean()) for p, q, loss in random_batches([3, 9], 5)]
  losses = [loss for _, _, loss in random_batches([3, 9], 5)]
  assert accumulated(batches, 5).get()["avg_loss"] == pytest.approx(
      np.mean(np.concatenate(losses)))


def test_get_between_batches_and_clear():
  first, second = random_batches([6, 8], 10)
  ours = streaming.EvaluationMetrics(10)
  ours.accumulate(*first)
  peek = ours.get()
  ours.accumulate(*second)
  assert ours.get()["gap"] == accumulated([first, second], 10).get()["gap"]
  ours.clear()
  ours.accumulate(*first)
  assert ours.num_examples == 6
  assert ours.get()["gap"] == peek["gap"]


def test_masked_examples_count_nowhere():
  (predictions, labels, loss), = random_batches([6], 10)
  mask = np.array([True, False, True, True, False, False])
  kept = predictions[mask], labels[mask], loss[mask]
  padded = np.where(mask[:, None], predictions, np.nan)
  for masked_loss, kept_loss in ((np.where(mask, loss, np.nan), loss[mask]),
                                 (kept[2].mean(), kept[2].mean())):
    ours, expected = streaming.EvaluationMetrics(10), streaming.EvaluationMetrics(10)
    assert ours.accumulate(padded, labels, masked_loss, mask) == expected.accumulate(
        *kept[:2], kept_loss)
    empty = ours.accumulate(padded, labels, masked_loss, np.zeros(6, bool))
    assert all(map(math.isnan, empty.values()))
    np.testing.assert_array_equal(ours.get().pop("aps"), expected.get().pop("aps"))
    for key, value in expected.get().items():
      np.testing.assert_array_equal(ours.get()[key], value)


def test_top_k_above_the_number_of_classes_means_all():
  batches = list(random_batches([5], 7))
  ours = accumulated(batches, 7, 100)
  assert ours.top_k == 7
  assert ours.get()["gap"] == accumulated(batches, 7, 7).get()["gap"]


def test_nan_is_refused_and_nothing_added():
  first, second = random_batches([4, 5], 6)
  ours = accumulated([first], 6)
  expected = ours.get()
  second[0][2, 5] = np.nan
  with pytest.raises(ValueError, match="Batch 1: .*row 2 for class 5 is NaN"):
    ours.accumulate(*second)
  assert ours.num_examples == 4
  assert ours.get()["gap"] == expected["gap"]


def test_bad_input():
  zeros = np.zeros((4, 6))
  ours = streaming.EvaluationMetrics(6)
  with pytest.raises(ValueError, match="0 examples.*--eval_data_pattern"):
    ours.get()
  with pytest.raises(ValueError, match="for 5 classes, expected 6"):
    ours.accumulate(zeros[:, :5], zeros[:, :5], 0)
  with pytest.raises(ValueError, match=r"loss \(3,\).*\(4,\)"):
    ours.accumulate(zeros, zeros, np.zeros(3))
  with pytest.raises(ValueError, match="--top_k=0"):
    streaming.EvaluationMetrics(6, top_k=0)
  with pytest.raises(ValueError, match="^top_n=0"):
    streaming.EvaluationMetrics(6, top_n=0)
  with pytest.raises(ValueError, match="top_k 5 into metrics of top_k 6"):
    ours.merge(streaming.EvaluationMetrics(6, 5))
