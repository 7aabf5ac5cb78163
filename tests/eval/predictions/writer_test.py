# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What predictions must be to be stored, and how the record files are joined."""

import os

import numpy as np
import pytest

from tests.helpers import full_disk
from yt8m.eval.predictions import store as prediction_store
from yt8m.eval.predictions import writer

CLASSES = 12
SIZES = (3, 0, 70, 1)
NAMES = [f"file{i}" for i in range(len(SIZES))]


def batch(number):
  rng = np.random.default_rng(number)
  ids = [b"%s-%d" % (b"v" * number, row) for row in range(SIZES[number])]
  shape = (SIZES[number], CLASSES)
  return ids, rng.random(shape), rng.random(shape) < 0.2


def write(directory, batches, top_k=4):
  """Writes a store; `batches` are the arguments of `rows` by name of the file."""
  parts = {name: writer.rows(*arguments, top_k=top_k)
           for name, arguments in batches.items()}
  return writer.write(str(directory), list(parts), parts.__getitem__,
                      num_classes=CLASSES, top_k=top_k, model="abc")


def all_batches():
  return {name: batch(number) for number, name in enumerate(NAMES)}


@pytest.mark.parametrize("top_k", [4, None])
def test_files_are_joined_in_their_order(tmp_path, top_k):
  store = write(tmp_path / "store", all_batches(), top_k)
  ids, scores, labels = (np.concatenate(arrays) for arrays in zip(
      *(batch(number) for number, size in enumerate(SIZES) if size), strict=True))
  np.testing.assert_array_equal(store.ids, ids)
  kept = np.where(scores >= -np.sort(-scores, axis=1)[:, 3:4], scores, 0)
  np.testing.assert_array_equal(
      store.dense_rows(slice(None)),
      (kept if top_k else scores).astype(np.float16).astype(np.float32))
  np.testing.assert_array_equal(store.labels.rows, np.nonzero(labels)[0])
  np.testing.assert_array_equal(store.labels.classes, np.nonzero(labels)[1])
  assert (store.record_files, store.model, store.top_k) == (NAMES, "abc", top_k)
  assert os.listdir(tmp_path) == ["store"]


def test_a_full_disk_leaves_no_store(tmp_path):
  with full_disk.full_disk(after=600), pytest.raises(OSError, match="File too large"):
    write(tmp_path / "store", all_batches())
  assert not os.listdir(tmp_path)


def test_a_video_twice_is_named_with_its_files(tmp_path):
  zeros = np.zeros((2, CLASSES))
  with pytest.raises(ValueError, match="'same' is .* twice .in two and in three"):
    write(tmp_path / "store", {
        "one": ([b"one", b"other"], zeros), "two": ([b"two", b"same"], zeros),
        "three": ([b"three", b"same"], zeros)})
  assert not os.listdir(tmp_path)


def test_labels_in_some_files_only(tmp_path):
  batches = all_batches()
  batches["file2"] = batches["file2"][:2]
  with pytest.raises(ValueError, match="Some record files have labels, others do not"):
    write(tmp_path / "store", batches)


def test_no_videos(tmp_path):
  for batches in ({}, {"empty": batch(1)}):
    with pytest.raises(ValueError, match="no videos"):
      write(tmp_path / "store", batches)


def test_where_a_store_may_be_written(tmp_path):
  (tmp_path / "empty").mkdir()
  store = write(tmp_path / "empty", all_batches())
  assert prediction_store.PredictionStore.open(store.directory).num_videos == sum(SIZES)
  with pytest.raises(FileExistsError, match="empty exists .* delete it or name another"):
    write(tmp_path / "empty", all_batches())
  with pytest.raises(ValueError, match="must be local"):
    writer.check("gs://bucket/store", 1)
  with pytest.raises(ValueError, match="top_k=0 must be at least 1"):
    writer.check(str(tmp_path / "none"), 0)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf, -0.01, 1.01])
def test_a_score_that_is_not_a_probability_is_named(score):
  scores = np.full((3, 4), 0.5, np.float32)
  scores[2, 1] = score
  with pytest.raises(ValueError, match=f"video 'z' for class 1 is {score:g}, not"):
    writer.rows([b"x", b"y", b"z"], scores, top_k=2)


def test_rounding_beyond_the_ends_is_not_an_error():
  scores = np.array([[1 + 3e-6, -3e-6, 0.25, -1e-8]], np.float32)
  arrays = writer.rows([b"x"], scores, top_k=2)
  np.testing.assert_array_equal(arrays["scores"], [[1, 0.25]])
  np.testing.assert_array_equal(arrays["classes"], [[0, 2]])
  dense = writer.rows([b"x"], scores, top_k=None)
  np.testing.assert_array_equal(dense["scores"], [[1, 0, 0.25, 0]])
  assert "classes" not in dense


@pytest.mark.parametrize("ids", [["é"], [b"a longer one"], np.array([b"bytes"], object)])
def test_ids_of_any_length_and_kind(ids):
  [found] = writer.rows(ids, np.zeros((1, 4)), top_k=2)["ids"]
  assert found == (ids[0] if isinstance(ids[0], bytes) else ids[0].encode())


def test_an_empty_batch_has_rows_of_the_same_kinds():
  empty = writer.rows(np.zeros(0, np.bytes_), np.zeros((0, 4)), np.zeros((0, 4)), top_k=2)
  filled = writer.rows([b"x"], np.zeros((1, 4)), np.zeros((1, 4)), top_k=2)
  assert {name: (array.dtype.kind, array.shape[1:]) for name, array in empty.items()} == {
      name: (array.dtype.kind, array.shape[1:]) for name, array in filled.items()}
  assert empty["scores"].shape == (0, 2)


@pytest.mark.parametrize("scores, labels", [
    (np.zeros((1, 4)), None), (np.zeros(4), None), (np.zeros(2), None),
    (np.zeros((2, 4)), np.zeros((2, 3)))])
def test_shapes_must_agree(scores, labels):
  with pytest.raises(ValueError, match="of 2 videos must have the shape"):
    writer.rows([b"x", b"y"], scores, labels, top_k=2)
