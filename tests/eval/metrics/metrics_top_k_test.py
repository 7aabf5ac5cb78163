# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import tensorflow as tf

from yt8m.eval.metrics import metrics_top_k

RNG = np.random.default_rng(0)


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
def test_equals_tensorflow(name, dtype, k):
  predictions = PREDICTIONS[name].astype(dtype)
  scores, classes = metrics_top_k.top_k(predictions, k)
  expected_scores, expected_classes = tf.math.top_k(predictions, k)
  np.testing.assert_array_equal(scores, expected_scores)
  np.testing.assert_array_equal(classes, expected_classes)
  assert scores.dtype == dtype and classes.dtype == np.int32


def test_large_k():
  predictions = PREDICTIONS["random"].astype(np.float32)
  _, classes = metrics_top_k.top_k(predictions, 3862)
  np.testing.assert_array_equal(classes, np.argsort(-predictions, axis=1, kind="stable"))


@pytest.mark.parametrize("name, pays", [
    ("random", True), ("skewed", True), ("few_classes", False), ("all_equal", False)])
def test_filters_classes_where_it_pays(name, pays):
  predictions = PREDICTIONS[name].astype(np.float32)
  candidates = metrics_top_k._candidates(predictions, 20)
  assert (candidates is not None) == pays
  if pays:
    assert len(candidates) < 40 * len(predictions)
