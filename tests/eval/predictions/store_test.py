# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Stores of predictions: their content, and detection of damage."""

import json
import os
import pathlib

import numpy as np
import pytest

from tests.helpers import full_disk
from yt8m.eval.predictions import store as prediction_store
from yt8m.eval.predictions import writer

CLASSES, VIDEOS = 30, 17


def make(seed=0, num_videos=VIDEOS, num_classes=CLASSES):
  """Ids, scores and labels."""
  rng = np.random.default_rng(seed)
  ids = np.array([f"video{seed}-{i}".encode() for i in range(num_videos)])
  scores = rng.random((num_videos, num_classes), np.float32)
  return ids, scores, rng.random((num_videos, num_classes)) < 0.1


def write(directory, batches, name="records", **options):
  """A store of one part."""
  num_classes = batches[0][1].shape[1]
  options = {"top_k": min(prediction_store.TOP_K, num_classes), **options}
  rows = [writer.rows(*batch, top_k=options["top_k"]) for batch in batches]
  part = {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
  return writer.write(
      str(directory), [name], {name: part}.__getitem__, num_classes=num_classes,
      **options)


@pytest.mark.parametrize("num_classes", [CLASSES, 1300])
def test_the_best_classes_are_kept_in_order(tmp_path, num_classes):
  ids, scores, labels = make(num_classes=num_classes)
  store = write(tmp_path / "store", [(ids[:9], scores[:9], labels[:9]),
                                     (ids[9:], scores[9:], labels[9:])],
                top_k=5, model="abc")
  order = np.argsort(-scores, axis=1)[:, :5]
  np.testing.assert_array_equal(store.classes, order)
  np.testing.assert_array_equal(
      store.scores, np.take_along_axis(scores, order, 1).astype(np.float16))
  assert store.scores.dtype == np.float16 and store.classes.dtype == np.uint16
  assert isinstance(store.scores, np.memmap) and isinstance(store.classes, np.memmap)
  np.testing.assert_array_equal(store.ids, ids)
  assert (store.num_videos, store.num_classes, store.top_k, store.model) == (
      VIDEOS, num_classes, 5, "abc")
  rows, classes = np.nonzero(labels)
  np.testing.assert_array_equal(store.labels.rows, rows)
  np.testing.assert_array_equal(store.labels.classes, classes)
  assert store.labels.num_classes == num_classes


def test_rounding_makes_ties_but_turns_no_order_round(tmp_path):
  scores = np.linspace(0.49, 0.51, 2000, dtype=np.float32)[np.newaxis]
  store = write(tmp_path / "store", [([b"a"], scores)], top_k=2000)
  np.testing.assert_array_equal(store.classes[0], np.arange(2000)[::-1])
  assert np.all(np.diff(store.scores[0].astype(float)) <= 0)
  assert len(np.unique(store.scores)) < 2000


def test_dense_rows_of_both_kinds(tmp_path):
  ids, scores, labels = make()
  sparse = write(tmp_path / "sparse", [(ids, scores, labels)], top_k=4)
  dense = write(tmp_path / "dense", [(ids, scores, labels)], top_k=None)
  assert dense.classes is None and dense.top_k is None
  assert dense.scores.shape == (VIDEOS, CLASSES)
  rounded = scores.astype(np.float16).astype(np.float32)
  fourth = -np.sort(-scores, axis=1)[:, 3:4]
  rows = [3, 3, 0]
  np.testing.assert_array_equal(dense.dense_rows(rows), rounded[rows])
  np.testing.assert_array_equal(
      sparse.dense_rows(rows), np.where(scores >= fourth, rounded, 0)[rows])
  assert sparse.dense_rows(slice(0, 2)).dtype == np.float32
  for k in (3, 4):
    for found, expected in zip(sparse.best(slice(0, 9), k), dense.best(slice(0, 9), k),
                               strict=True):
      np.testing.assert_array_equal(found, expected)


def test_more_classes_than_16_bits_hold(tmp_path):
  scores = np.zeros((1, 2**16 + 1), np.float32)
  scores[0, -1] = 1
  store = write(tmp_path / "store", [([b"a"], scores)], top_k=1)
  assert store.classes.dtype == np.uint32 and store.classes[0, 0] == 2**16


def test_records_without_labels(tmp_path):
  ids, scores, labels = make()
  assert write(tmp_path / "none", [(ids, scores)]).labels is None
  assert write(tmp_path / "empty", [(ids, scores, 0 * labels)]).labels is None


def test_the_same_predictions_have_the_same_bytes(tmp_path):
  ids, scores, labels = make()
  whole = write(tmp_path / "a", [(ids, scores, labels)])
  pieces = write(tmp_path / "b", [(ids[i:i + 3], scores[i:i + 3], labels[i:i + 3])
                                  for i in range(0, VIDEOS, 3)])
  content = [(pathlib.Path(store.directory) / "store.json").read_text()
             for store in (whole, pieces)]
  assert content[0] == content[1]


ARRAYS = ("ids", "scores", "classes", "label_classes", "label_sizes")


def damage(path, how):
  content = bytearray(path.read_bytes())
  if how == "missing":
    path.unlink()
  elif how == "truncated":
    path.write_bytes(content[:-2])
  else:
    content[{"flipped": -1, "header": 1}[how]] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["flipped", "header", "truncated", "missing"])
@pytest.mark.parametrize("name", ARRAYS)
def test_damage_is_named(tmp_path, name, how):
  directory = tmp_path / "store"
  write(directory, [make()])
  damage(directory / f"{name}.npy", how)
  with pytest.raises(ValueError, match=rf"{name}\.npy .*: delete {directory} and run"):
    prediction_store.PredictionStore.open(str(directory))


@pytest.mark.parametrize("name, value, message", [
    ("scores", -3, "has a score that is not between 0 and 1"),
    ("scores", np.nan, "has a score that is not between 0 and 1"),
    ("label_sizes", -1, "has a negative size")])
def test_values_that_the_writer_does_not_write(tmp_path, name, value, message):
  directory = tmp_path / "store"
  store = write(directory, [make()])
  array = np.load(directory / f"{name}.npy", mmap_mode="r+")
  array[0], array[1] = array[0] + array[1] - value, value  # The sum of sizes must stay.
  prediction_store.describe(
      str(directory), num_classes=CLASSES, top_k=store.top_k, model=store.model,
      record_files=store.record_files)
  with pytest.raises(ValueError, match=rf"{name}\.npy {message}: delete {directory}"):
    prediction_store.PredictionStore.open(str(directory))


def test_without_verification_sizes_and_headers_are_still_checked(tmp_path):
  directory = tmp_path / "store"
  write(directory, [make()])
  opened = prediction_store.PredictionStore.open(str(directory), verify=False)
  assert opened.num_videos == VIDEOS
  np.save(directory / "scores.npy", opened.scores[:].T)
  with pytest.raises(ValueError, match="holds float16"):
    prediction_store.PredictionStore.open(str(directory), verify=False)
  damage(directory / "scores.npy", "header")
  with pytest.raises(ValueError, match="is not an array"):
    prediction_store.PredictionStore.open(str(directory), verify=False)
  damage(directory / "classes.npy", "truncated")
  with pytest.raises(ValueError, match=r"classes\.npy has .* bytes, not"):
    prediction_store.PredictionStore.open(str(directory), verify=False)


@pytest.mark.parametrize("change", [
    lambda text: text[:-9], lambda text: "[]", lambda text: "", lambda text: "{}",
    lambda text: text.replace('"top_k": 30', '"top_k": 29'),
    lambda text: text.replace('"dtype"', '"dtyp"')])
def test_a_changed_description_is_noticed(tmp_path, change):
  path = tmp_path / "store" / "store.json"
  write(tmp_path / "store", [make()])
  text = path.read_text()
  assert change(text) != text
  path.write_text(change(text))
  with pytest.raises(ValueError, match=r"store\.json is not the description .* Delete "):
    prediction_store.PredictionStore.open(str(tmp_path / "store"))


def test_the_error_of_a_type_is_one_line(tmp_path):
  path = tmp_path / "store" / "store.json"
  write(tmp_path / "store", [make()])
  description = json.loads(path.read_text())
  description["files"]["ids"]["dtype"] = "|S4\nx"
  del description["sha256"]
  path.write_text(json.dumps(
      description | {"sha256": prediction_store._digest(description)}))
  with pytest.raises(ValueError, match=r"ids\.npy holds .*S4\\nx.*: delete") as error:
    prediction_store.PredictionStore.open(str(tmp_path / "store"))
  assert "\n" not in str(error.value)


def test_another_format_is_refused(tmp_path, monkeypatch):
  monkeypatch.setattr(prediction_store, "FORMAT", 2)
  write(tmp_path / "store", [make()])
  monkeypatch.undo()
  with pytest.raises(ValueError, match="it has the format 2, not 1"):
    prediction_store.PredictionStore.open(str(tmp_path / "store"))


def test_no_store(tmp_path):
  with pytest.raises(FileNotFoundError, match="holds no predictions"):
    prediction_store.PredictionStore.open(str(tmp_path))


def test_the_description_says_what_is_in_the_store(tmp_path):
  store = write(tmp_path / "store", [make()], name="validate0.tfrecord")
  description = json.loads((tmp_path / "store" / "store.json").read_text())
  assert description["num_videos"] == VIDEOS
  assert description["records"]["parts"] == store.record_files == ["validate0.tfrecord"]
  for name in ARRAYS:
    assert description["files"][name]["bytes"] == os.path.getsize(
        tmp_path / "store" / f"{name}.npy")


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (5,)])
def test_an_array_file_holds_what_is_written(tmp_path, shape):
  path = str(tmp_path / "array.npy")
  array = prediction_store.create_array(path, np.float16, shape)
  assert not np.any(array)
  expected = np.arange(array.size, dtype=np.float16).reshape(shape)
  array[...] = expected
  array.flush()
  for read in (np.load(path), np.load(path, mmap_mode="r")):
    assert read.dtype == np.float16 and read.shape == shape
    np.testing.assert_array_equal(read, expected)


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(tmp_path):
  path = str(tmp_path / "array.npy")
  with full_disk.full_disk(after=4096), pytest.raises(
      OSError, match=f"no room for an array of 400,128 bytes: '{path}'"):
    prediction_store.create_array(path, np.float32, (10_000, 10))


@pytest.mark.parametrize("sizes", [
    np.array(["1", "1"]), np.zeros(2, [("a", "i4")])])
def test_sizes_that_are_no_numbers(tmp_path, sizes):
  directory = tmp_path / "store"
  store = write(directory, [make()])
  np.save(directory / "label_sizes.npy", sizes)
  prediction_store.describe(
      str(directory), num_classes=CLASSES, top_k=store.top_k, model=store.model,
      record_files=store.record_files)
  with pytest.raises(ValueError, match=r"label_sizes\.npy holds no whole numbers"):
    prediction_store.PredictionStore.open(str(directory))
