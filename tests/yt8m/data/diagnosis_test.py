# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every fault is described; a good record has none."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import diagnosis
from yt8m.data import tfrecords

NUM_CLASSES = 5
REMEDY = (" Write the record again; commands with --skip_bad_records can also go on "
          "without it.")
WRITE = REMEDY.replace(" W", ", or w")
SIZES = " Correct --feature_sizes" + WRITE
INCREASE = " classes (--num_classes): labels must be class numbers from 0 to 4. " + (
    "Increase --num_classes" + WRITE)
LABELS = " classes (--num_classes): labels must be class numbers from 0 to 4." + REMEDY


def video(video_id="v", labels=(0, 4), **features):
  return tfrecords.video_example(
      video_id, labels, {"mean_rgb": [0.5, 1], "mean_audio": [2]} | features)


def frame(video_id="v", labels=(0, 4), segments=(), **features):
  frames = {"rgb": np.zeros((3, 2), np.uint8), "audio": np.zeros((3, 1), np.uint8)}
  return tfrecords.segment_example(video_id, labels, frames | features, segments)


def explain(level, example, of_model=False):
  names = ("mean_rgb", "mean_audio") if level == "video" else ("rgb", "audio")
  function = getattr(diagnosis, {
      "video": "explain_video", "frame": "explain_frames",
      "segment": "explain_segments"}[level])
  record = tf.train.SequenceExample.FromString(example.SerializeToString())
  sizes = dict(zip(names, (2, 1), strict=True))
  fault = function(record, diagnosis.Expected(sizes, NUM_CLASSES, of_model))
  return fault and fault.text


def without(example, key):
  features = (example.context if hasattr(example, "context") else example.features)
  del features.feature[key]
  return example


@pytest.mark.parametrize(("level", "example"), [
    ("video", video()), ("frame", frame()), ("segment", frame(segments=[(0, 4, 1)])),
    ("frame", frame(rgb=np.zeros((0, 2), np.uint8))),
    ("video", without(video(), "mean_audio"))])
def test_good_records_pass_and_missing_features_too(level, example):
  assert explain(level, example) is None


@pytest.mark.parametrize(("level", "example", "fault"), [
    ("video", video(mean_rgb=[1, 2, 3]),
     "has 3 values of feature mean_rgb, expected 2 (--feature_sizes)." + SIZES),
    ("video", frame(),
     "has no feature mean_rgb, but frames of audio, rgb. If these are frame-level "
     "records, add --frame_features, with a --model and --feature_names of frames, or "
     "name video-level ones."),
    ("video", video(video_id=""), "has neither id nor video_id." + REMEDY),
    ("video", without(video(), "id"), "has neither id nor video_id." + REMEDY),
    ("video", video(labels=[5]), "has label 5, outside the 5" + INCREASE),
    ("frame", video(),
     "has no frames of feature rgb, only id, labels, mean_audio, mean_rgb. If these "
     "are video-level records, drop --frame_features."),
    ("frame", frame(audio=np.zeros((3, 2), np.uint8)),
     "has 2 bytes in frame 0 of feature audio, expected 1 (--feature_sizes). They would "
     "be right for float16 (--feature_dtypes)."),
    ("frame", frame(rgb=np.zeros((3, 6), np.uint8)),
     "has 6 bytes in frame 0 of feature rgb, expected 2 (--feature_sizes). Are these 3 "
     "frames? Each needs its own byte string." + SIZES),
    ("frame", frame(rgb=np.zeros((3, 5), np.uint8)),
     "has 5 bytes in frame 0 of feature rgb, expected 2 (--feature_sizes)." + SIZES),
    ("frame", frame(labels=[3, -1]), "has label -1, outside the 5" + LABELS),
    ("video", video(labels=[2**40]), "has label 1099511627776, outside the 5" + LABELS),
    ("segment", frame(segments=[(0, 5, 1)]),
     "has label 5, outside the 5" + INCREASE.replace("labels", "segment_labels")),
    ("segment", without(frame(segments=[(0, 1, 1)]), "segment_scores"),
     "has 1 segment_start_times, 1 segment_labels and 0 segment_scores: every rating "
     "needs one of each." + REMEDY),
])
def test_faults(level, example, fault):
  assert explain(level, example) == fault


@pytest.mark.parametrize(("level", "example", "advice"), [
    ("video", frame(), "the model reads video-level ones: name such records"),
    ("frame", video(), "the model reads frame-level ones: name such records"),
    ("video", video(mean_rgb=[1]), "expected 2 (as the model was trained)."),
    ("frame", frame(labels=[9]),
     "outside the 5 classes (as the model was trained): labels"),
])
def test_advice_names_no_flag_if_a_model_decides(level, example, advice):
  text = explain(level, example, of_model=True)
  assert advice in text and "--" not in text.removesuffix(REMEDY)


def test_names_of_features():
  assert diagnosis.feature_names(video().SerializeToString()) == {
      "mean_rgb", "mean_audio"}
  assert diagnosis.feature_names(frame().SerializeToString()) == {"rgb", "audio"}
  assert diagnosis.feature_names(b"\xff") == set()
