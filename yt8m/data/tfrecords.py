# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Records of YouTube-8M as protocol buffers: what the readers read, for writing."""

import numpy as np
import tensorflow as tf

from yt8m.core.feature_spec import SEGMENT_FRAMES


def video_example(video_id, labels, features):
  """Returns a video-level `tf.train.Example`.

  Args:
    video_id: string.
    labels: class indices.
    features: `{name: (size,)}` floats, e.g. under `mean_rgb` and `mean_audio`.
  """
  entries = _context(video_id, labels, "id")
  for name, values in features.items():
    entries[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
  return tf.train.Example(features=tf.train.Features(feature=entries))


def frame_example(video_id, labels, features, id_key="id"):
  """Returns a frame-level `tf.train.SequenceExample`.

  Args:
    video_id: string.
    labels: class indices.
    features: `{name: (num_frames, size)}` uint8, e.g. under `rgb` and `audio`.
    id_key: key of the id; AudioSet has `video_id`.
  """
  return _sequence_example(_context(video_id, labels, id_key), features)


def segment_example(video_id, labels, features, segments):
  """Returns a frame-level record with rated segments.

  Args:
    video_id: string.
    labels: class indices of the whole video.
    features: `{name: (num_frames, size)}` uint8.
    segments: iterable of `(start, label, score)`, the start in frames, the score 1
      where the label holds and 0 where it does not.
  """
  starts, segment_labels, scores = zip(*segments, strict=True) if segments else ([],) * 3
  context = _context(video_id, labels, "id")
  context["segment_start_times"] = _ints(starts)
  context["segment_end_times"] = _ints([start + SEGMENT_FRAMES for start in starts])
  context["segment_labels"] = _ints(segment_labels)
  context["segment_scores"] = tf.train.Feature(
      float_list=tf.train.FloatList(value=scores))
  return _sequence_example(context, features)


def shard_name(split, index, count):
  """Returns e.g. `train-00-of-04.tfrecord`."""
  return f"{split}-{index:02d}-of-{count:02d}.tfrecord"


def _context(video_id, labels, id_key):
  return {id_key: _bytes([video_id.encode()]), "labels": _ints(labels)}


def _sequence_example(context, features):
  lists = {}
  for name, frames in features.items():
    if frames.dtype != np.uint8:
      raise ValueError(f"Frames of {name!r} are {frames.dtype}, expected uint8.")
    lists[name] = tf.train.FeatureList(feature=[_bytes([f.tobytes()]) for f in frames])
  return tf.train.SequenceExample(
      context=tf.train.Features(feature=context),
      feature_lists=tf.train.FeatureLists(feature_list=lists))


def _bytes(values):
  return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _ints(values):
  return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
