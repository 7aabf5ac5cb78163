# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every output that holds ids gives them back, whatever their bytes are."""

import json
from urllib import parse

import numpy as np
import pytest
import tensorflow as tf

from tests.yt8m.core.video_ids_test import ODD_IDS
from yt8m.core import csv_files
from yt8m.core import video_ids
from yt8m.data import label_sets
from yt8m.data import tfrecords
from yt8m.eval.metrics import segment_labels
from yt8m.eval.predictions import writer as store_writer
from yt8m.export.prediction import formats
from yt8m.export.serving import json_arrays
from yt8m.export.serving import rest_api
from yt8m.export.submissions import check
from yt8m.export.submissions import json_predictions
from yt8m.export.submissions import segments

IDS = [b"DiRU", *ODD_IDS]
TEXTS = {video_ids.as_text(video_id) for video_id in IDS}
CLASSES = np.zeros((len(IDS), 1), np.int32)
SCORES = np.full((len(IDS), 1), 0.5, np.float32)


def csv(path):
  with formats.WRITERS["csv"](path) as writer:
    writer.write(np.array(IDS, object), CLASSES, SCORES)
  assert check.check(path, ids=TEXTS).errors == []
  _, *lines = csv_files.read(path)
  return [parse.unquote_to_bytes(line.cells[0]) for line in lines]


def segment_csv(path):
  with segments.SegmentSubmissionWriter(path) as writer:
    writer.write([video_id + b":5" for video_id in IDS], CLASSES, SCORES)
  assert check.check(path, ids=TEXTS).errors == []
  [(_, words)] = segments.read_segment_submission(path)
  return [parse.unquote_to_bytes(word).removesuffix(b":5") for word in words]


def npz(path):
  with formats.WRITERS["npz"](path) as writer:
    writer.write(np.array(IDS, object), CLASSES, SCORES)
  with np.load(path) as arrays:
    return arrays["ids"].tolist()


def tfrecord(path):
  with formats.WRITERS["tfrecord"](path) as writer:
    writer.write(np.array(IDS, object), CLASSES, SCORES)
  return [tf.train.Example.FromString(record).features.feature["id"].bytes_list.value[0]
          for record in tf.data.TFRecordDataset(path).as_numpy_iterator()]


def label_cache(path):
  with tf.io.TFRecordWriter(f"{path}.tfrecord") as writer:
    for video_id in IDS:
      example = tfrecords.segment_example(
          "x", [], {"rgb": np.zeros((5, 1), np.uint8)}, [(0, 1, 1.0)])
      example.context.feature["id"].bytes_list.value[:] = [video_id]
      writer.write(example.SerializeToString())
  rated = segment_labels.load_rated_segments(f"{path}.tfrecord", path)
  assert segment_labels.read_cache(path) == rated
  return [parse.unquote_to_bytes(text).removesuffix(b":0") for text in rated[1]]


def saved_label_sets(path):
  labels = np.ones((len(IDS), 1), bool)
  with open(path, "wb") as file:
    label_sets.LabelSets.from_matrix(labels, np.array(IDS, object)).save(file)
  sets = label_sets.LabelSets.load(path, 1)
  assert len(sets.without(IDS[1:])) == 1 and sets.ids is not None
  return list(map(parse.unquote_to_bytes, sets.ids))


def store(path):
  rows = store_writer.rows(np.array(IDS, object), SCORES, top_k=None)
  return store_writer.write(path, ["all"], lambda _: rows, num_classes=1,
                            top_k=None).ids.tolist()


def server(path):
  """The answer of a server, and the CSV that `yt8m-json-to-csv` makes of it."""
  with open(path, "wb") as file:
    file.write(rest_api.format_answer({
        "video_id": np.array(IDS, object), "class_indexes": CLASSES,
        "predictions": SCORES}, in_rows=True))
  with open(path, encoding="utf-8") as file:
    answer = [row["video_id"] for row in json.load(file)["predictions"]]
  ids = json_arrays.to_array(answer, tf.TensorSpec([None], tf.string)).tolist()
  json_predictions.convert([path], f"{path}.csv")
  _, *lines = csv_files.read(f"{path}.csv")
  assert [parse.unquote_to_bytes(line.cells[0]) for line in lines] == ids
  return ids


@pytest.mark.parametrize("write_and_read", [
    csv, segment_csv, npz, tfrecord, label_cache, saved_label_sets, store, server])
def test_ids_come_back(write_and_read, tmp_path):
  assert write_and_read(str(tmp_path / "output")) == IDS
