# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The best classes, and what cannot be ranked."""

import numpy as np
import pytest

from yt8m.export.prediction import top_classes

PREDICTIONS = np.array([[.1, .5, .3], [.25, .25, 0]], np.float32)


@pytest.mark.parametrize("class_ids", [None, [0, 2, 3, 7, 9]])
@pytest.mark.parametrize("top_k", [1, 4, 10])
def test_equals_a_stable_sort(class_ids, top_k):
  rng = np.random.default_rng(0)
  predictions = rng.integers(0, 5, (30, 10)).astype(np.float32) / 4  # many ties
  classes, scores = top_classes.TopClasses(10, top_k, class_ids)(predictions)
  allowed = np.arange(10) if class_ids is None else np.array(class_ids)
  order = np.argsort(-predictions[:, allowed], axis=1, kind="stable")[:, :top_k]
  np.testing.assert_array_equal(classes, allowed[order])
  np.testing.assert_array_equal(scores, np.take_along_axis(predictions, classes, 1))
  assert classes.dtype == np.int32 and scores.dtype == np.float32


@pytest.mark.parametrize("top_k", [0, -1, 4])
def test_top_k_beyond_the_classes_is_an_error(top_k):
  with pytest.raises(
      ValueError, match=f"--top_k={top_k} must be between 1 and the number of .*, 3"):
    top_classes.TopClasses(3, top_k)


def test_predictions_that_are_not_numbers_are_an_error():
  best = top_classes.TopClasses(2, 1)
  with pytest.raises(ValueError, match=r"1 of 2 rows, first of row 1, are not numbers"):
    best([[0., 1.], [np.nan, 0.]])
