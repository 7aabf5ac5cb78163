# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Labels are counted without reading features."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import label_reader
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.data.readers import make_reader

LABELS = [[0, 2], [2, 2], [], [1], [2], [0]]


def write(folder, make_example):
  """Writes three files of two records with the labels in `LABELS`."""
  paths = [str(folder / f"{i}.tfrecord") for i in range(3)]
  for i, path in enumerate(paths):
    with tf.io.TFRecordWriter(path) as writer:
      for row in (2 * i, 2 * i + 1):
        writer.write(make_example(LABELS[row], f"v{row}").SerializeToString())
  return paths


def video(labels, video_id="v"):
  return tfrecords.video_example(video_id, labels, {"mean_rgb": [1.0]})


def frame(labels, video_id="v"):
  return tfrecords.frame_example(
      video_id, labels, {"rgb": np.ones((2, 1), np.uint8)}, id_key="video_id")


def segment(labels, video_id="v"):
  return tfrecords.segment_example(
      video_id, [3], {"rgb": np.ones((9, 1), np.uint8)},
      [(0, label, score) for score, label in enumerate(sorted(set(labels)))])


def counts(sets):
  return np.bincount(sets.classes, minlength=sets.num_classes)


@pytest.mark.parametrize(("level", "make_example"), [("video", video), ("frame", frame)])
def test_counts_sets_of_labels(tmp_path, level, make_example):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), level), 4)
  sets = label_reader.collect_label_sets(reader, write(tmp_path, make_example), 100)
  assert len(sets) == 6
  np.testing.assert_array_equal(counts(sets), [2, 1, 3, 0])


def test_max_examples_are_spread_over_the_files(tmp_path):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 4)
  sets = label_reader.collect_label_sets(reader, write(tmp_path, video), 3)
  assert len(sets) == 3
  np.testing.assert_array_equal(counts(sets), [1, 0, 2, 0])


def test_segments_count_their_scores(tmp_path):
  reader = make_reader(FeatureSpec(("rgb",), (1,), "segment"), 4)
  sets = label_reader.collect_label_sets(reader, write(tmp_path, segment), 100)
  assert len(sets) == 5
  np.testing.assert_array_equal(counts(sets), [0, 0, 1, 0])


def test_prior_is_never_zero_or_one(tmp_path):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 4)
  prior = label_reader.collect_label_sets(reader, write(tmp_path, video), 100).prior()
  np.testing.assert_allclose(prior, (np.array([2, 1, 3, 0]) + 0.1) / 7)


def test_bad_label_is_named(tmp_path):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 2)
  with pytest.raises(records.RecordError,
                     match=r"0.tfrecord, record 0 has label 2, outside the 2 classes"):
    label_reader.collect_label_sets(reader, write(tmp_path, video), 100)


@pytest.mark.parametrize(("level", "make_example"), [("video", video), ("frame", frame)])
@pytest.mark.parametrize("max_examples", [None, 100])
def test_collects_the_sets_of_all_records(tmp_path, level, make_example, max_examples):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), level), 4)
  reported = []
  sets = label_reader.collect_label_sets(
      reader, write(tmp_path, make_example), max_examples, report=reported.append)
  assert reported == [6] and len(sets) == 6 and sets.num_classes == 4
  found = dict(zip(sets.ids.tolist(), np.split(
      sets.classes, np.cumsum(sets.sizes)[:-1]), strict=True))
  assert {video_id: classes.tolist() for video_id, classes in found.items()} == {
      f"v{row}": sorted(set(labels)) for row, labels in enumerate(LABELS)}


def test_segments_have_the_id_of_their_video(tmp_path):
  path = str(tmp_path / "segments.tfrecord")
  with tf.io.TFRecordWriter(path) as writer:
    for video_id, ratings in [("a", [(0, 3, 1.0), (4, 2, 0.0)]), ("b", []),
                              ("c", [(3, 1, 1.0)])]:
      writer.write(tfrecords.segment_example(
          video_id, [3], {"rgb": np.ones((9, 1), np.uint8)}, ratings).SerializeToString())
  reader = make_reader(FeatureSpec(("rgb",), (1,), "segment"), 4)
  sets = label_reader.collect_label_sets(reader, [path])
  assert sets.ids.tolist() == ["a", "a", "c"]
  np.testing.assert_array_equal(sets.sizes, [1, 0, 1])
  # A video without ratings has no label set, but its id can be excluded.
  assert label_reader.video_ids(reader, [path]).tolist() == [b"a", b"b", b"c"]


@pytest.mark.parametrize("make_example", [video, frame, segment])
@pytest.mark.parametrize("level", ["video", "frame", "segment"])
def test_video_ids_of_any_level(tmp_path, level, make_example):
  reader = make_reader(FeatureSpec(("another",), (7,), level), 1)  # features are not read
  ids = label_reader.video_ids(reader, write(tmp_path, make_example))
  assert sorted(ids) == [f"v{row}".encode() for row in range(6)]


def test_video_ids_of_no_record(tmp_path):
  (tmp_path / "empty").write_bytes(b"")
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 4)
  assert len(label_reader.video_ids(reader, [str(tmp_path / "empty")])) == 0


@pytest.mark.parametrize("read", [
    label_reader.video_ids, label_reader.collect_label_sets])
def test_record_without_id_is_named(tmp_path, read):
  path = str(tmp_path / "nameless")
  with tf.io.TFRecordWriter(path) as writer:
    for video_id in ("v", ""):
      writer.write(video([1], video_id).SerializeToString())
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 4)
  with pytest.raises(records.RecordError,
                     match="nameless, record 1 has neither id nor video_id"):
    read(reader, [path])


def test_video_ids_of_damaged_files(tmp_path):
  paths = write(tmp_path, video)
  with open(paths[1], "rb+") as file:
    file.truncate(file.seek(0, 2) - 3)
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 4)
  with pytest.raises(records.RecordError, match="1.tfrecord, record 1 is cut off"):
    label_reader.video_ids(reader, paths)
  assert sorted(label_reader.video_ids(reader, paths, skip_corrupt_records=True)) == [
      b"v0", b"v1", b"v2", b"v4", b"v5"]
