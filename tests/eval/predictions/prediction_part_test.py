# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What predictions must be to be stored."""

import numpy as np
import pytest

from yt8m.eval.predictions import prediction_part


def part(top_k=2):
  return prediction_part.Part("a/store", 4, top_k)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf, -0.01, 1.01])
def test_what_is_no_probability_is_named(score):
  scores = np.full((3, 4), 0.5, np.float32)
  scores[2, 1] = score
  with pytest.raises(ValueError, match=f"a/store: .* b'z' for class 1 is {score:g}, not"):
    part().add([b"x", b"y", b"z"], scores)


def test_rounding_beyond_the_ends_is_not_an_error():
  ours = part()
  ours.add([b"x"], np.array([[1 + 3e-6, -3e-6, 0.25, -1e-8]], np.float32))
  arrays = ours.arrays()
  np.testing.assert_array_equal(arrays["scores"], [[1, 0.25]])
  np.testing.assert_array_equal(arrays["classes"], [[0, 2]])
  dense = part(top_k=None)
  dense.add([b"x"], np.array([[1 + 3e-6, -3e-6, 0.25, -1e-8]], np.float32))
  np.testing.assert_array_equal(dense.arrays()["scores"], [[1, 0, 0.25, 0]])
  assert "classes" not in dense.arrays()


def test_ids_of_any_length_and_kind():
  ours = part()
  scores = np.zeros((1, 4))
  for ids in (["é"], [b"a longer one"], np.array([b"bytes"], object)):
    ours.add(ids, scores)
  assert ours.arrays()["ids"].tolist() == ["é".encode(), b"a longer one", b"bytes"]


def test_no_batches_and_empty_ones_are_a_part_of_no_videos():
  ours = part()
  ours.add(np.array([], object), np.zeros((0, 4)), np.zeros((0, 4)))
  arrays = ours.arrays()
  assert len(arrays["ids"]) == 0 and arrays["scores"].shape == (0, 2)


@pytest.mark.parametrize("scores, labels", [
    (np.zeros((2, 3)), None), (np.zeros((1, 4)), None), (np.zeros(4), None),
    (np.zeros((2, 4)), np.zeros((2, 3)))])
def test_shapes_must_agree(scores, labels):
  with pytest.raises(ValueError, match="2 videos and 4 classes want"):
    part().add([b"x", b"y"], scores, labels)
