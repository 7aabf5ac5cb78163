# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import tensorflow as tf

from yt8m.eval.metrics import ranking
from yt8m.eval.metrics.ranking import RankedBatch

RNG = np.random.default_rng(0)


def assert_same(batch, expected):
  for name in ("scores", "classes", "hits", "num_labels", "num_positives",
               "hits_at_equal_recall"):
    np.testing.assert_array_equal(getattr(batch, name), getattr(expected, name))


def test_by_hand():
  batch = RankedBatch(predictions=[[0.1, 0.9, 0.5, 0.5], [0, 0, 0, -1]],
                      labels=[[0, 1, 0, 1], [1, 0, 0, 1]], top_k=3)
  assert len(batch) == 2
  np.testing.assert_array_equal(batch.classes, [[1, 2, 3], [0, 1, 2]])
  np.testing.assert_array_equal(batch.scores, [[0.9, 0.5, 0.5], [0, 0, 0]])
  np.testing.assert_array_equal(batch.hits, [[1, 0, 1], [1, 0, 0]])
  np.testing.assert_array_equal(batch.num_labels, [2, 2])
  np.testing.assert_array_equal(batch.num_positives, [1, 1, 0, 2])
  # Class 3 is third of the first video, and no score of the second is above 0.
  np.testing.assert_array_equal(batch.hits_at_equal_recall, [1, 0])
  assert batch.mean_precision_at_equal_recall() == 1 / 4


def test_equal_recall_does_not_depend_on_top_k():
  predictions = RNG.normal(size=(50, 30))
  labels = RNG.random(predictions.shape) < RNG.random((50, 1))
  expected = RankedBatch(predictions, labels, 30).hits_at_equal_recall
  assert labels.sum(axis=1).max() > 20 and expected.sum() > 50
  for top_k in (1, 5, 20):
    batch = RankedBatch(predictions, labels, top_k)
    np.testing.assert_array_equal(batch.hits_at_equal_recall, expected)


@pytest.mark.parametrize("convert", [
    lambda p, q: (tf.constant(p), tf.constant(q)),
    lambda p, q: (p.astype(np.float64), q.astype(np.uint8)),
    lambda p, q: (tf.cast(p, tf.bfloat16), tf.cast(q, tf.float32)),
    lambda p, q: (p.astype(np.float16), q.astype(np.int64)),
    lambda p, q: (p.tolist(), q.tolist()),
    lambda p, q: (np.asfortranarray(p), np.asfortranarray(q * 0.25 - 0.1)),
], ids=["tensor", "float64", "bfloat16", "float16", "list", "fortran"])
@pytest.mark.parametrize("num_classes", [40, 1500])
def test_input_types(convert, num_classes):
  # Multiples of 1/256: exact in every type, with ties.
  predictions = np.float32(RNG.integers(1, 256, size=(8, num_classes)) / 256)
  labels = RNG.random(predictions.shape) < 0.1
  assert_same(RankedBatch(*convert(predictions, labels), 20),
              RankedBatch(predictions, labels, 20))


@pytest.mark.parametrize("mask", [[1, 0, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]])
def test_masked_videos_are_left_out(mask):
  predictions = RNG.random((5, 12))
  labels = RNG.random(predictions.shape) < 0.3
  kept = np.flatnonzero(mask)
  padded = np.where(np.array(mask)[:, None] > 0, predictions, np.nan)
  batch = RankedBatch(padded, labels, 4, mask)
  assert len(batch) == len(kept)
  assert_same(batch, RankedBatch(predictions[kept], labels[kept], 4))


def test_nan_is_named_by_its_row_in_the_whole_batch():
  predictions = np.zeros((5, 6))
  predictions[[0, 2, 3], [4, 5, 1]] = np.nan
  with pytest.raises(ValueError, match=r"Batch 7: .*row 2 for class 5 is NaN.*base_lear"):
    RankedBatch(predictions, predictions, 3, mask=[0, 1, 1, 1, 1], name="Batch 7")


def test_bad_shapes():
  zeros = np.zeros((4, 6))
  with pytest.raises(ValueError, match=r"\(4, 6\) and labels \(3, 6\)"):
    RankedBatch(zeros, zeros[:3], 2)
  with pytest.raises(ValueError, match=r"\(6,\) and labels \(6,\)"):
    RankedBatch(zeros[0], zeros[0], 2)
  with pytest.raises(ValueError, match=r"mask \(3,\) must be \(4,\)"):
    RankedBatch(zeros, zeros, 2, mask=[1, 1, 1])
  with pytest.raises(ValueError, match="for 6 classes, expected 5"):
    RankedBatch(zeros, zeros, 2, num_classes=5)
  with pytest.raises(ValueError, match="--top_k=0"):
    RankedBatch(zeros, zeros, 0)



def skewed(num_classes):
  """The best classes are neighbours, as in a vocabulary sorted by frequency."""
  return RNG.random((20, num_classes)) * np.exp(-np.arange(num_classes) / 20)


PREDICTIONS = {
    "random": RNG.random((30, 3862)),
    "skewed": skewed(3862),
    "skewed_1024": skewed(1024),
    "negative": -RNG.random((10, 2000)),
    "few_classes": RNG.random((30, 40)),
    "some_ties": RNG.integers(500, size=(30, 3862)) / 500,
    "many_ties": RNG.integers(3, size=(10, 1500)) / 3,
    "all_equal": np.zeros((5, 1500)),
    "infinite": np.where(RNG.random((10, 2000)) < 0.99, -np.inf,
                         RNG.choice([1, np.inf], (10, 2000))),
    "no_rows": np.zeros((0, 3862)),
}


@pytest.mark.parametrize("k", [1, 2, 20, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PREDICTIONS)
def test_best_classes_are_those_of_tensorflow(name, dtype, k):
  predictions = PREDICTIONS[name].astype(dtype)
  scores, classes = ranking.best_classes(predictions, k)
  expected_scores, expected_classes = tf.math.top_k(predictions, k)
  np.testing.assert_array_equal(scores, expected_scores)
  np.testing.assert_array_equal(classes, expected_classes)
  assert scores.dtype == dtype and classes.dtype == np.int32


def test_best_classes_with_a_large_k():
  predictions = PREDICTIONS["random"].astype(np.float32)
  _, classes = ranking.best_classes(predictions, 3862)
  np.testing.assert_array_equal(classes, np.argsort(-predictions, axis=1, kind="stable"))


@pytest.mark.parametrize("name, pays", [
    ("random", True), ("skewed", True), ("few_classes", False), ("all_equal", False)])
def test_filters_classes_where_it_pays(name, pays):
  predictions = PREDICTIONS[name].astype(np.float32)
  candidates = ranking._candidates(predictions, 20)
  assert (candidates is not None) == pays
  if pays:
    assert len(candidates) < 40 * len(predictions)
