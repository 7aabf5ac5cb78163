# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Counting labels without reading features."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import label_statistics
from yt8m import records
from yt8m import tfrecords
from yt8m.feature_spec import FeatureSpec
from yt8m.readers import make_reader

LABELS = [[0, 2], [2, 2], [], [1], [2], [0]]


def write(folder, make_example):
  """Three files of two records; the labels of a record are those of `LABELS`."""
  paths = [str(folder / f"{i}.tfrecord") for i in range(3)]
  for i, path in enumerate(paths):
    with tf.io.TFRecordWriter(path) as writer:
      for labels in LABELS[2 * i:2 * i + 2]:
        writer.write(make_example(labels).SerializeToString())
  return paths


def video(labels):
  return tfrecords.video_example("v", labels, {"mean_rgb": [1.0]})


def frame(labels):
  return tfrecords.frame_example("v", labels, {"rgb": np.ones((2, 1), np.uint8)})


@pytest.mark.parametrize(("level", "make_example"), [("video", video), ("frame", frame)])
def test_counts_sets_of_labels(tmp_path, level, make_example):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), level), 4)
  counts, num_examples = label_statistics.label_counts(
      reader, write(tmp_path, make_example), 100)
  assert num_examples == 6
  np.testing.assert_array_equal(counts, [2, 1, 3, 0])


def test_max_examples_are_spread_over_the_files(tmp_path):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 4)
  counts, num_examples = label_statistics.label_counts(
      reader, write(tmp_path, video), 3)
  assert num_examples == 3
  np.testing.assert_array_equal(counts, [1, 0, 2, 0])


def test_segments_count_their_scores(tmp_path):
  def make_example(labels):
    return tfrecords.segment_example("v", [3], {"rgb": np.ones((9, 1), np.uint8)}, [
        (0, label, score) for score, label in enumerate(sorted(set(labels)))])

  reader = make_reader(FeatureSpec(("rgb",), (1,), "segment"), 4)
  counts, num_segments = label_statistics.label_counts(
      reader, write(tmp_path, make_example), 100)
  assert num_segments == 5
  np.testing.assert_array_equal(counts, [0, 0, 1, 0])


def test_prior_is_never_zero_or_one(tmp_path):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 4)
  prior = label_statistics.class_prior(reader, write(tmp_path, video), 100)
  np.testing.assert_allclose(prior, (np.array([2, 1, 3, 0]) + 0.1) / 7)


def test_bad_label_is_named(tmp_path):
  reader = make_reader(FeatureSpec(("mean_rgb",), (1,), "video"), 2)
  with pytest.raises(records.RecordError,
                     match=r"0.tfrecord, record 0 has label 2, outside the 2 classes"):
    label_statistics.label_counts(reader, write(tmp_path, video), 100)
