# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Builds the records of YouTube-8M, which the readers read, as protocol buffers."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from yt8m.core import feature_spec

# Features by name, one array each.
Arrays = Mapping[str, np.ndarray]


def video_example(video_id: str, labels: Iterable[int], features: Mapping
                  ) -> tf.train.Example:
  """Returns a video-level record.

  Args:
    video_id: Id of the video.
    labels: Class indices.
    features: `{name: (size,) floats}`, e.g. for `mean_rgb` and `mean_audio`.
  """
  entries = _context(video_id, labels, "id") | {
      name: _floats(values) for name, values in features.items()}
  return tf.train.Example(features=tf.train.Features(feature=entries))


def frame_example(video_id: str, labels: Iterable[int], features: Arrays,
                  id_key: str = "id", float_lists: bool = False
                  ) -> tf.train.SequenceExample:
  """Returns a frame-level record.

  Args:
    video_id: Id of the video.
    labels: Class indices.
    features: `{name: (num_frames, size) uint8}`, e.g. for `rgb` and `audio`, or float16
      or float32, for embeddings of other models.
    id_key: Key of the id, `"video_id"` in AudioSet.
    float_lists: Whether frames of floats are written as lists of floats, of four bytes
      each, instead of byte strings.
  """
  return _sequence_example(_context(video_id, labels, id_key), features, float_lists)


def segment_example(video_id: str, labels: Iterable[int], features: Arrays,
                    segments: Sequence[tuple[int, int, float]],
                    float_lists: bool = False) -> tf.train.SequenceExample:
  """Returns a frame-level record with rated segments.

  Args:
    video_id: Id of the video.
    labels: Class indices of the whole video.
    features: `{name: (num_frames, size)}`, as in `frame_example`.
    segments: Ratings, `(start, label, score)` each: the first frame, the class, and 1 if
      the segment shows it, 0 if not.
    float_lists: As in `frame_example`.
  """
  starts, segment_labels, scores = zip(*segments, strict=True) if segments else ([],) * 3
  context = _context(video_id, labels, "id")
  context["segment_start_times"] = _ints(starts)
  context["segment_end_times"] = _ints(
      start + feature_spec.SEGMENT_FRAMES for start in starts)
  context["segment_labels"] = _ints(segment_labels)
  context["segment_scores"] = _floats(scores)
  return _sequence_example(context, features, float_lists)


def shard_name(split: str, index: int, count: int) -> str:
  """Returns the file name of a part of a split.

  >>> from yt8m.data import tfrecords
  >>> tfrecords.shard_name("train", 0, 4)
  'train-00-of-04.tfrecord'
  """
  return f"{split}-{index:02d}-of-{count:02d}.tfrecord"


def _context(video_id, labels, id_key):
  return {id_key: _bytes([video_id.encode()]), "labels": _ints(labels)}


def _sequence_example(context, features, float_lists):
  lists = {}
  for name, frames in features.items():
    if str(frames.dtype) not in feature_spec.DTYPES:
      raise ValueError(f"Frames of {name!r} are {frames.dtype}, expected one of "
                       f"{', '.join(feature_spec.DTYPES)}.")
    if float_lists and frames.dtype != np.uint8:
      entries = [_floats(frame) for frame in frames]
    else:
      frames = frames.astype(frames.dtype.newbyteorder("<"), copy=False)
      entries = [_bytes([frame.tobytes()]) for frame in frames]
    lists[name] = tf.train.FeatureList(feature=entries)
  return tf.train.SequenceExample(
      context=tf.train.Features(feature=context),
      feature_lists=tf.train.FeatureLists(feature_list=lists))


def _bytes(values):
  return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _floats(values):
  return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def _ints(values):
  return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
