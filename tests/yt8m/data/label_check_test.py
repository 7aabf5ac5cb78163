# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the labels of training records say before training."""

import re

import pytest
import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.data import label_check
from yt8m.data import readers
from yt8m.data import tfrecords


def read(tmp_path, labels, key="labels", num_classes=5, **kwargs):
  path = str(tmp_path / "x")
  with tf.io.TFRecordWriter(path) as writer:
    for number, row in enumerate(labels):
      example = tfrecords.video_example(f"v{number}", row, {"mean_rgb": [1.0]})
      if key != "labels":
        example.features.feature[key].CopyFrom(example.features.feature["labels"])
        del example.features.feature["labels"]
      writer.write(example.SerializeToString())
  reader = readers.make_reader(
      feature_spec.FeatureSpec(("mean_rgb",), (1,), "video"), num_classes)
  return label_check.read(reader, [path], 100, **kwargs)


def test_good_labels_are_no_reason_to_warn(tmp_path, caplog):
  assert len(read(tmp_path, [[0, 4], [2]])) == 2
  assert not caplog.records or max(r.levelname for r in caplog.records) == "INFO"


@pytest.mark.parametrize(("labels", "key"), [([[], []], "labels"), ([[1], [2]], "label")])
def test_no_labels_at_all(tmp_path, caplog, labels, key):
  message = ("None of the first 2 examples of the training records has a label. Class "
             f"numbers are expected in labels; the first record of {tmp_path}/x has id, "
             f"{key}, mean_rgb.")
  with pytest.raises(ValueError, match=f"^{message} Nothing can be learnt"):
    read(tmp_path, labels, key)
  read(tmp_path, labels, key, labels_required=False)  # as with a teacher
  assert message in caplog.text


@pytest.mark.parametrize(("labels", "num_classes", "warning"), [
    ([[0], [], [4], [2]], 5, r"1 of 4 videos \(25.0%\) have no labels"),
    ([[0], [4]], 10, "The largest label is 4, but there are 10 classes"),
    ([[0, 4, 4], [1]], 5, "1 labels appear again in the same video, and count once.$"),
    ([[0, 0, 1, 0, 1], [1, 0, 0, 0, 0]], 5, "6 labels .* Are these vectors of 0 and 1"),
])
def test_odd_labels_are_counted(tmp_path, caplog, labels, num_classes, warning):
  read(tmp_path, labels, num_classes=num_classes)
  assert any(record.levelname == "WARNING" and re.search(
      warning, record.getMessage()) for record in caplog.records)
