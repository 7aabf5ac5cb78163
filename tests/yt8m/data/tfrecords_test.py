# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Records as TensorFlow's own parsers read them."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import tfrecords

FRAMES = {"rgb": np.arange(12, dtype=np.uint8).reshape(3, 4),
          "audio": np.array([[255], [0], [7]], np.uint8)}
VIDEO_LABELS = tf.io.VarLenFeature(tf.int64)


def parse_sequence(example, context):
  return tf.io.parse_single_sequence_example(
      example.SerializeToString(), context,
      {name: tf.io.FixedLenSequenceFeature([], tf.string) for name in FRAMES})


def assert_frames(lists):
  for name, frames in FRAMES.items():
    np.testing.assert_array_equal(tf.io.decode_raw(lists[name], tf.uint8), frames)


def test_video_level():
  mean = np.array([0.25, -1.5], np.float32)
  example = tfrecords.video_example("vid", [3, 11], {"mean_rgb": mean})
  parsed = tf.io.parse_single_example(example.SerializeToString(), {
      "id": tf.io.FixedLenFeature([], tf.string), "labels": VIDEO_LABELS,
      "mean_rgb": tf.io.FixedLenFeature([2], tf.float32)})
  assert parsed["id"] == b"vid"
  np.testing.assert_array_equal(parsed["labels"].values, [3, 11])
  np.testing.assert_array_equal(parsed["mean_rgb"], mean)


@pytest.mark.parametrize("id_key", ["id", "video_id"])
def test_frame_level(id_key):
  example = tfrecords.frame_example("vid", np.array([3, 11]), FRAMES, id_key)
  context, lists = parse_sequence(example, {
      id_key: tf.io.FixedLenFeature([], tf.string), "labels": VIDEO_LABELS})
  assert context[id_key] == b"vid"
  np.testing.assert_array_equal(context["labels"].values, [3, 11])
  assert_frames(lists)


@pytest.mark.parametrize("segments", [[(0, 3, 1.), (5, 11, 0.)], []])
def test_segment_level(segments):
  example = tfrecords.segment_example("vid", [3], FRAMES, segments)
  keys = {"segment_start_times": tf.int64, "segment_end_times": tf.int64,
          "segment_labels": tf.int64, "segment_scores": tf.float32}
  context, lists = parse_sequence(
      example, {key: tf.io.VarLenFeature(dtype) for key, dtype in keys.items()})
  starts, ends, labels, scores = (context[key].values.numpy() for key in keys)
  assert list(zip(starts, labels, scores, strict=True)) == segments
  np.testing.assert_array_equal(ends, starts + 5)
  assert_frames(lists)


def test_no_labels_and_no_frames_are_possible():
  example = tfrecords.frame_example("vid", [], {"rgb": FRAMES["rgb"][:0]})
  assert not example.context.feature["labels"].int64_list.value
  assert not example.feature_lists.feature_list["rgb"].feature


def test_frames_have_a_known_type():
  with pytest.raises(ValueError, match="'rgb' are int64, expected one of"):
    tfrecords.frame_example("vid", [], {"rgb": np.zeros((3, 4), np.int64)})


def test_shard_name():
  assert tfrecords.shard_name("train", 0, 4) == "train-00-of-04.tfrecord"
