# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""All formats have the same content, and are written completely or not at all."""

import csv
import functools
import json
import os
from urllib import parse

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import full_disk
from tests.helpers import support
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.prediction import formats as prediction_formats
from yt8m.export.prediction import named_formats

IDS = [b"a,b", "ü", b"long \"caf\xe9\".mp4"]
CLASSES = np.array([[3, 1], [2, 0], [70_000, 1]])
SCORES = np.array([[.5, .1], [1, 0], [.125, 1e-7]], np.float32)


NAMES = Vocabulary.of({0: "café", 1: 'Toys "R" Us, 2', 2: "=1+1", 3: "Crane",
                       70_000: "Crane"}, 70_001)
WRITERS = {**prediction_formats.WRITERS, **{
    name: functools.partial(writer, names=NAMES)
    for name, writer in named_formats.WRITERS.items()
    if name != named_formats.DECISIONS}}


def write(name, path, cuts=(), overwrite=False):
  with WRITERS[name](str(path), overwrite) as writer:
    for start, stop in zip((0, *cuts), (*cuts, 3), strict=True):
      rows = slice(start, stop)
      writer.write(IDS[rows], CLASSES[rows], SCORES[rows])


def read(name, path):
  if name == "csv":
    lines = support.read_submission(path)
    ids = list(map(parse.unquote_to_bytes, lines))
    return ids, *map(np.array, zip(*lines.values(), strict=True))
  if name == "npz":
    with np.load(path) as arrays:
      assert arrays["classes"].dtype == np.int32
      return arrays["ids"].tolist(), arrays["classes"], arrays["scores"]
  if name == "json":
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    predictions = [row["predictions"] for row in rows]
    assert all(one["name"] == NAMES.names[one["class"]]
               for row in predictions for one in row)
    return ([parse.unquote_to_bytes(row["id"]) for row in rows], *(
        np.array([[one[key] for one in row] for row in predictions])
        for key in ("class", "score")))
  if name == "csv_named":
    with path.open(newline="") as file:
      header, *rows = csv.reader(file)
    assert header == ["VideoId", "Name 1", "Score 1", "Name 2", "Score 2"]
    return ([parse.unquote_to_bytes(row[0]) for row in rows],
            np.array([list(map(NAMES.names.index, row[1::2])) for row in rows]),
            np.array([row[2::2] for row in rows], np.float64))
  features = {"id": tf.io.FixedLenFeature([], tf.string),
              "class_indexes": tf.io.FixedLenFeature([2], tf.int64),
              "predictions": tf.io.FixedLenFeature([2], tf.float32)}
  rows = [tf.io.parse_single_example(record, features)
          for record in tf.data.TFRecordDataset(str(path))]
  return ([row["id"].numpy() for row in rows],
          np.array([row["class_indexes"] for row in rows]),
          np.array([row["predictions"] for row in rows]))


formats = pytest.mark.parametrize("name", WRITERS)


@formats
def test_what_is_written_is_read_back_whatever_the_batches(name, tmp_path):
  contents = []
  for cuts in ((), (0, 1, 1), (2,)):
    path = tmp_path / f"{len(cuts)}.{name}"
    write(name, path, cuts)
    contents.append(path.read_bytes())
  assert contents[0] == contents[1] == contents[2]
  ids, classes, scores = read(name, path)
  assert ids == [b"a,b", "ü".encode(), b"long \"caf\xe9\".mp4"]
  np.testing.assert_array_equal(classes, CLASSES)
  np.testing.assert_allclose(scores, SCORES, rtol=1e-6)
  if name in named_formats.WRITERS:
    np.testing.assert_array_equal(scores.astype(np.float32), SCORES)
  assert len(os.listdir(tmp_path)) == 3


@formats
def test_remote(name, tmp_path):
  tf.io.gfile.makedirs("ram://formats")
  write(name, f"ram://formats/out.{name}")
  write(name, tmp_path / "out")
  with tf.io.gfile.GFile(f"ram://formats/out.{name}", "rb") as file:
    assert file.read() == (tmp_path / "out").read_bytes()
  assert tf.io.gfile.listdir("ram://formats") == [f"out.{name}"]
  tf.io.gfile.remove(f"ram://formats/out.{name}")


@formats
def test_an_output_stays_unless_told_otherwise(name, tmp_path):
  path = tmp_path / "out"
  path.write_text("precious")
  with pytest.raises(FileExistsError, match="out exists: .*--overwrite"):
    write(name, path)
  writer = WRITERS[name](str(path), overwrite=True)
  with pytest.raises(ZeroDivisionError), writer:
    writer.write(IDS, CLASSES, SCORES)
    _ = 1 / 0
  assert path.read_text() == "precious" and os.listdir(tmp_path) == ["out"]
  write(name, path, overwrite=True)
  assert read(name, path)[0] == [b"a,b", "ü".encode(), b"long \"caf\xe9\".mp4"]


@formats
def test_ids_and_predictions_must_agree(name, tmp_path):
  with (pytest.raises(ValueError),
        WRITERS[name](str(tmp_path / "out")) as writer):
    writer.write(IDS[:2], CLASSES, SCORES)
  assert os.listdir(tmp_path) == []


@formats
def test_an_unwritable_output_is_an_error_before_any_prediction(name, tmp_path):
  (tmp_path / "file").touch()
  with (pytest.raises((OSError, tf.errors.OpError)),
        WRITERS[name](str(tmp_path / "file" / "out"))):
    pytest.fail("no prediction must be made")


@formats
def test_a_full_disk_leaves_nothing(name, tmp_path):
  with (full_disk.full_disk(after=50_000),
        pytest.raises(OSError, match="after [0-9,]+ bytes; nothing half-written.*/out'"),
        WRITERS[name](str(tmp_path / "out")) as writer):
    for _ in range(2000):
      writer.write(IDS, CLASSES, SCORES)
  assert os.listdir(tmp_path) == []


def test_no_videos(tmp_path):
  with prediction_formats.NpzWriter(str(tmp_path / "out")):
    pass
  with np.load(tmp_path / "out") as arrays:
    assert {name: len(array) for name, array in arrays.items()} == {
        "ids": 0, "classes": 0, "scores": 0}


@pytest.mark.parametrize("name", WRITERS)
def test_arguments_of_different_lengths_are_refused(name, tmp_path):
  with pytest.raises(ValueError, match="3 ids|argument 3 is shorter"):
    with WRITERS[name](str(tmp_path / "out"), False) as writer:
      writer.write(IDS, CLASSES, SCORES[:2])
  assert not list(tmp_path.iterdir())
