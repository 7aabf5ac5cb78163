# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Segments of five frames: the rated ones of records, or all of a batch of videos."""

from typing import Any

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.data import bad_records
from yt8m.data import diagnosis
from yt8m.data import frame_reader
from yt8m.data import parsing

_RATING_FEATURES = {
    "segment_start_times": tf.io.VarLenFeature(tf.int64),
    "segment_labels": tf.io.VarLenFeature(tf.int64),
    "segment_scores": tf.io.VarLenFeature(tf.float32)}


class SegmentReader(frame_reader.FrameLevelReader):
  """Reads the rated segments of frame-level records.

  Every distinct start time is an example of five frames. Frames after the last one of
  the video (or after `max_frames`) are padding; `num_frames` says how many exist. A
  segment that starts after the last frame is left out with a warning, and counted in
  `incidents`. A video without ratings has no examples. `skip_examples` counts segments,
  so the skipped records are parsed here.

  Args:
    spec: Names, sizes and types of the features.
    num_classes: Number of classes, C.
    max_frames: Number of frames of a video that are kept.
    of_model: Whether all of these are those of a trained model, for the advice in errors.
  """
  SKIPS_PARSED = True
  EXPECTED = ("an id, ratings of labels below {num_classes}, and frames with "
              "these features and sizes{of_values}: {sizes}.")
  EXPLAIN = diagnosis.explain_segments

  def __init__(self, spec: feature_spec.FeatureSpec, num_classes: int,
               max_frames: int = 300, of_model: bool = False):
    super().__init__(spec, num_classes, max_frames, of_model=of_model)

  def parse_labels(self, serialized, names):
    examples = self._parse_and_report(serialized, names)
    return examples["id"], examples["labels"], tf.constant(0)

  def explain_labels(self, record):
    return self.explain(record)

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples,
               skip_bad_records):
    # A record without a name has no segments.
    examples = map_named(
        dataset.batch(frame_reader.CHUNK_SIZE), self._parse_and_report)
    return bad_records.drop_first(examples, skip_examples).rebatch(
        batch_size, drop_remainder)

  def _parse_and_report(self, serialized, names):
    examples, (videos, starts) = self._parse_explaining(serialized, names)

    def report(names, starts):
      for name, start in zip(names, starts, strict=True):
        self.incidents.add(
            "segments outside their video",
            f"{name.decode()} has a segment that starts at frame {start}, where its "
            "video has no frame. It is left out.")
      return True

    reported = tf.cond(
        tf.equal(tf.size(starts), 0), lambda: True, lambda: tf.numpy_function(
            report, [tf.gather(names, videos), starts], tf.bool, stateful=False))
    with tf.control_dependencies([reported]):
      return tf.nest.map_structure(tf.identity, examples)

  def _parse(self, serialized, names, check):
    """Returns the segments, and `(record, start)` of those outside their video."""
    context, frames, counts, good = self._parse_frames(
        serialized, _RATING_FEATURES, names)
    good &= self._valid(context, "segment_labels") & _complete_ratings(context)
    with tf.control_dependencies([check(good, tf.reduce_all(counts < 1, axis=1))]):
      num_frames = tf.minimum(frame_reader.shortest(counts), self.max_frames)
    videos, starts, labels, label_weights, outside = _rated_segments(
        context, num_frames, self.num_classes)
    left = tf.gather(num_frames, videos) - starts
    return {
        "id": tf.gather(parsing.video_ids(context), videos),
        "features": {
            name: _decode_segments(frames[name], videos, starts, left, size)
            for name, size in self.sizes.items()},
        "num_frames": tf.minimum(left, feature_spec.SEGMENT_FRAMES),
        "labels": labels, "label_weights": label_weights,
        "segment_start_times": starts}, outside


def split_into_segments(features: Any, num_frames: tf.Tensor,
                        segment_frames: int = feature_spec.SEGMENT_FRAMES
                        ) -> tuple[Any, tf.Tensor, tf.Tensor]:
  """Cuts videos into consecutive segments; a shorter one at the end is padded.

  Args:
    features: Frames, (batch_size, max_frames, dim), or a nest of such tensors.
      `max_frames` need not be a multiple of `segment_frames`.
    num_frames: Number of valid frames of each video, (batch_size,).
    segment_frames: Number of frames of a segment.

  Returns:
    The frames, (num_segments, segment_frames, dim) or a nest of such tensors; the number
    of valid frames of each segment, (num_segments,) int32; the row of the video and the
    first frame of each segment, (num_segments, 2) int32.
  """
  num_frames = tf.cast(num_frames, tf.int32)
  counts = -(-num_frames // segment_frames)

  def cut(frames):
    frames = tf.convert_to_tensor(frames)
    shape = tf.shape(frames)
    num_segments = -(-shape[1] // segment_frames)
    padding = num_segments * segment_frames - shape[1]
    frames = tf.pad(frames, tf.convert_to_tensor([[0, 0], [0, padding], [0, 0]]))
    frames = tf.reshape(
        frames, [shape[0], num_segments, segment_frames, frames.shape[-1]])
    return tf.boolean_mask(frames, tf.sequence_mask(counts, num_segments))

  rows, segments = tf.unstack(
      tf.cast(tf.where(tf.sequence_mask(counts)), tf.int32), num=2, axis=1)
  starts = segments * segment_frames
  return (tf.nest.map_structure(cut, features),
          tf.minimum(segment_frames, tf.gather(num_frames, rows) - starts),
          tf.stack([rows, starts], axis=1))


def _complete_ratings(ratings):
  """Returns (batch_size,) bool: whether every rating is whole, and its score finite."""
  def count(ratings):
    rows = ratings.indices[:, 0]
    return tf.math.unsorted_segment_sum(
        tf.ones_like(rows), rows, ratings.dense_shape[0])

  starts, labels, scores = (count(ratings[name]) for name in _RATING_FEATURES)
  values = ratings["segment_scores"]
  num_bad = tf.math.unsorted_segment_sum(
      tf.cast(~tf.math.is_finite(values.values), tf.int32), values.indices[:, 0],
      values.dense_shape[0])
  return tf.equal(starts, labels) & tf.equal(starts, scores) & tf.equal(num_bad, 0)


def _rated_segments(ratings, num_frames, num_classes):
  """Collects the ratings of a batch of videos, one row for each distinct start time.

  Args:
    ratings: Parsed `_RATING_FEATURES`, complete.
    num_frames: Number of valid frames of each video, (batch_size,) int32.
    num_classes: Number of classes, C.

  Returns:
    The video and the start of each segment, (num_segments,) int32, in the order of first
    appearance; the labels, (num_segments, num_classes) float32, with the score of every
    rated class (the last one if a class is rated twice); the label weights, 1 for every
    rated class; and (video, start) of the ratings that start after the last frame.
  """
  video = tf.cast(ratings["segment_start_times"].indices[:, 0], tf.int32)
  start, label, score = (ratings[name].values for name in _RATING_FEATURES)
  inside = (start >= 0) & (start < tf.cast(tf.gather(num_frames, video), tf.int64))
  outside = tf.boolean_mask(video, ~inside), tf.boolean_mask(start, ~inside)

  video, start, label, score = (
      tf.boolean_mask(x, inside) for x in (video, start, label, score))
  stride = tf.maximum(1, tf.reduce_max(num_frames))
  segments, segment = tf.unique(video * stride + tf.cast(start, tf.int32), tf.int64)
  rated, rating = tf.unique(segment * num_classes + label)
  last = tf.math.unsorted_segment_max(
      tf.range(tf.size(rating)), rating, num_segments=tf.size(rated))
  cells = tf.stack([rated // num_classes, rated % num_classes], axis=1)
  shape = tf.stack([tf.size(segments, tf.int64), num_classes])
  labels = tf.scatter_nd(cells, tf.gather(score, last), shape)
  label_weights = tf.scatter_nd(cells, tf.ones_like(last, tf.float32), shape)
  return segments // stride, segments % stride, labels, label_weights, outside


def _decode_segments(frames, video, start, left, size):
  """Returns the frames of segments, (num_segments, 5, size), padded with 0.

  Args:
    frames: Strings of 8-bit numbers, (batch_size, num_frames), or floats, (batch_size,
      num_frames, size).
    video: Row of the video of each segment, (num_segments,).
    start: First frame of each segment, (num_segments,).
    left: Number of frames from there to the end of the video, (num_segments,).
    size: Number of values of a frame.
  """
  offsets = tf.range(feature_spec.SEGMENT_FRAMES)
  times = start[:, tf.newaxis] + tf.minimum(offsets, left[:, tf.newaxis] - 1)
  rows = tf.broadcast_to(video[:, tf.newaxis], tf.shape(times))
  kept = tf.gather_nd(frames, tf.stack([rows, times], axis=2))
  exists = tf.reshape(offsets < left[:, tf.newaxis],
                      [-1, feature_spec.SEGMENT_FRAMES, *[1] * (len(frames.shape) - 2)])
  kept = tf.where(exists, kept, tf.zeros([], kept.dtype))
  return frame_reader.decoded(kept, size)
