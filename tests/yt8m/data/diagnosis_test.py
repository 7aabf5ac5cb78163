# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every fault is described; a good record has none."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import diagnosis
from yt8m.data import tfrecords

NUM_CLASSES = 5


def video(video_id="v", labels=(0, 4), **features):
  return tfrecords.video_example(
      video_id, labels, {"mean_rgb": [0.5, 1], "mean_audio": [2]} | features)


def frame(video_id="v", labels=(0, 4), segments=(), **features):
  frames = {"rgb": np.zeros((3, 2), np.uint8), "audio": np.zeros((3, 1), np.uint8)}
  return tfrecords.segment_example(video_id, labels, frames | features, segments)


def explain(level, example):
  names = ("mean_rgb", "mean_audio") if level == "video" else ("rgb", "audio")
  function = getattr(diagnosis, {
      "video": "explain_video", "frame": "explain_frames",
      "segment": "explain_segments"}[level])
  record = tf.train.SequenceExample.FromString(example.SerializeToString())
  return function(record, dict(zip(names, (2, 1), strict=True)), NUM_CLASSES)


def without(example, key):
  features = (example.context if hasattr(example, "context") else example.features)
  del features.feature[key]
  return example


@pytest.mark.parametrize(("level", "example"), [
    ("video", video()), ("frame", frame()), ("segment", frame(segments=[(0, 4, 1)])),
    ("frame", frame(rgb=np.zeros((0, 2), np.uint8)))])
def test_good_records_pass_and_empty_videos_too(level, example):
  assert explain(level, example) == ""


@pytest.mark.parametrize(("level", "example", "fault"), [
    ("video", video(mean_rgb=[1, 2, 3]),
     "has 3 values of feature mean_rgb, expected 2 (--feature_sizes)."),
    ("video", without(video(), "mean_audio"),
     "has no feature mean_audio, only id, labels, mean_rgb (--feature_names)."),
    ("video", frame(),
     "has no feature mean_rgb, but frames of audio, rgb. If these are frame-level "
     "records, add --frame_features, or name video-level ones."),
    ("video", video(video_id=""), "has neither id nor video_id."),
    ("video", without(video(), "id"), "has neither id nor video_id."),
    ("video", video(labels=[5]), "has label 5, outside the 5 classes (--num_classes)."),
    ("frame", video(),
     "has no frames of feature rgb, only id, labels, mean_audio, mean_rgb. If these "
     "are video-level records, drop --frame_features."),
    ("frame", frame(audio=np.zeros((3, 2), np.uint8)),
     "has 2 bytes in frame 0 of feature audio, expected 1 (--feature_sizes)."),
    ("frame", frame(labels=[3, -1]),
     "has label -1, outside the 5 classes (--num_classes)."),
    ("segment", frame(segments=[(0, 5, 1)]),
     "has label 5, outside the 5 classes (--num_classes)."),
    ("segment", without(frame(segments=[(0, 1, 1)]), "segment_scores"),
     "has 1 segment_start_times, 1 segment_labels and 0 segment_scores: every rating "
     "needs one of each."),
])
def test_faults(level, example, fault):
  assert explain(level, example) == fault


def test_missing_feature_list():
  example = frame()
  del example.feature_lists.feature_list["audio"]
  assert explain("frame", example) == (
      "has no feature list audio, only rgb (--feature_names).")
