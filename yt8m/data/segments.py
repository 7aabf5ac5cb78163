# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Segments of five frames: every segment of a batch, and the rated ones of a record."""

import tensorflow as tf

from yt8m.core import feature_spec

RATING_FEATURES = {
    "segment_start_times": tf.io.VarLenFeature(tf.int64),
    "segment_labels": tf.io.VarLenFeature(tf.int64),
    "segment_scores": tf.io.VarLenFeature(tf.float32)}


def split_into_segments(features, num_frames, segment_frames=feature_spec.SEGMENT_FRAMES):
  """Cuts videos into consecutive segments; a last, shorter one is padded.

  Args:
    features: (batch_size, max_frames, dim), or a nest of such; `max_frames` need not
      be a multiple of `segment_frames`.
    num_frames: (batch_size,) valid frames of each video.
    segment_frames: frames of a segment.

  Returns:
    features, (num_segments, segment_frames, dim) or a nest of such; num_frames,
    (num_segments,) int32, those of each segment that exist; ids, (num_segments, 2)
    int32, the row of the video and the first frame.
  """
  num_frames = tf.cast(num_frames, tf.int32)
  counts = -(-num_frames // segment_frames)

  def cut(frames):
    frames = tf.convert_to_tensor(frames)
    shape = tf.shape(frames)
    length = -(-shape[1] // segment_frames) * segment_frames
    frames = tf.pad(frames, [[0, 0], [0, length - shape[1]], [0, 0]])
    frames = tf.reshape(
        frames, [shape[0], length // segment_frames, segment_frames, frames.shape[-1]])
    return tf.boolean_mask(frames, tf.sequence_mask(counts, length // segment_frames))

  rows, segments = tf.unstack(
      tf.cast(tf.where(tf.sequence_mask(counts)), tf.int32), num=2, axis=1)
  starts = segments * segment_frames
  return (tf.nest.map_structure(cut, features),
          tf.minimum(segment_frames, tf.gather(num_frames, rows) - starts),
          tf.stack([rows, starts], axis=1))


def complete_ratings(ratings):
  """Returns (batch_size,) bool: whether every rating has a start, a label and a score."""
  def count(ratings):
    rows = ratings.indices[:, 0]
    return tf.math.unsorted_segment_sum(
        tf.ones_like(rows), rows, ratings.dense_shape[0])

  starts, labels, scores = (count(ratings[name]) for name in RATING_FEATURES)
  return tf.equal(starts, labels) & tf.equal(starts, scores)


def rated_segments(ratings, num_frames, num_classes):
  """Collects the ratings of a batch of videos, one row for each distinct start time.

  Args:
    ratings: the parsed `RATING_FEATURES`, complete.
    num_frames: (batch_size,) int32.
    num_classes: columns of the label matrices.

  Returns:
    A dict of `video` and `start`, (num_segments,) int32, in the order of first
    appearance, and `labels` and `label_weights`, (num_segments, num_classes) float32:
    the score of every rated class (the last one where a class is rated twice), and 1
    there. And (video, start) of the ratings that start after the last frame, which are
    left out.
  """
  video = tf.cast(ratings["segment_start_times"].indices[:, 0], tf.int32)
  start, label, score = (ratings[name].values for name in RATING_FEATURES)
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
  return {
      "video": segments // stride, "start": segments % stride,
      "labels": tf.scatter_nd(cells, tf.gather(score, last), shape),
      "label_weights": tf.scatter_nd(
          cells, tf.ones_like(last, tf.float32), shape)}, outside


def decode_segments(frames, video, start, left, size):
  """Returns the segments' frames, (num_segments, 5, size) uint8, padded with 0.

  Args:
    frames: (batch_size, num_frames) byte strings.
    video, start: (num_segments,) row and first frame of each segment.
    left: (num_segments,) frames from there to the end of the video.
    size: bytes of a frame.
  """
  offsets = tf.range(feature_spec.SEGMENT_FRAMES)
  times = start[:, tf.newaxis] + tf.minimum(offsets, left[:, tf.newaxis] - 1)
  rows = tf.broadcast_to(video[:, tf.newaxis], tf.shape(times))
  strings = tf.gather_nd(frames, tf.stack([rows, times], axis=2))
  strings = tf.where(offsets < left[:, tf.newaxis], strings, "")
  return tf.io.decode_raw(strings, tf.uint8, fixed_length=size)
