# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rated segments of frame-level records to batches, one example a segment."""

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.data import diagnosis
from yt8m.data import frame_reader
from yt8m.data import parsing
from yt8m.data import segments


class SegmentReader(frame_reader.FrameLevelReader):
  """Reads the rated segments of frame-level records.

  Every distinct start time is an example of five frames. Those after the last frame of
  the video (or after `max_frames`) are padding; `num_frames` says how many exist. A
  segment that starts after the last frame is left out, with a warning, and counted in
  `incidents`; a video without ratings has no examples. `skip_examples` counts segments,
  so here the records skipped are parsed.
  """

  def __init__(self, spec, num_classes, max_frames=300):
    super().__init__(spec, num_classes, max_frames)

  def parse_batch(self, serialized):
    """Parses records as the base does, but to one row a segment, not one a record."""
    names = parsing.row_names(serialized)
    examples, _ = self._parse(serialized, parsing.stop(
        names, f"an id, ratings of labels below {self.num_classes}, and frames of so "
        f"many bytes of the features {self.sizes}."), names)
    return examples

  def parse_labels(self, serialized, names):
    examples = self._parse_and_report(serialized, names)
    return examples["id"], examples["labels"]

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples):
    examples = map_named(
        dataset.batch(frame_reader.CHUNK_SIZE), self._parse_and_report)
    if skip_examples:
      examples = examples.unbatch().skip(skip_examples).batch(1)
    return examples.rebatch(batch_size, drop_remainder)

  def _parse_and_report(self, serialized, names):
    examples, outside = self._parse(serialized, parsing.stop_explaining(
        serialized, names, lambda record: diagnosis.explain_segments(
            record, self.sizes, self.num_classes)), names)

    def report(names, starts):
      for name, start in zip(names, starts, strict=True):
        self.incidents.add("segments outside their video",
                           f"{name.decode()} has a segment that starts at frame {start}: "
                           "its video has none there. It is left out.")
      return True

    videos, starts = outside
    reported = tf.cond(
        tf.equal(tf.size(starts), 0), lambda: True, lambda: tf.numpy_function(
            report, [tf.gather(names, videos), starts], tf.bool, stateful=False))
    with tf.control_dependencies([reported]):
      return tf.nest.map_structure(tf.identity, examples)

  def _parse(self, serialized, check, names=None):
    """Returns the segments, and the (record, start) of those left out."""
    context, frames, counts, good = self._parse_frames(
        serialized, segments.RATING_FEATURES, names)
    ids = parsing.video_ids(context)
    good &= (tf.not_equal(ids, "") & segments.complete_ratings(context)
             & parsing.valid_labels(context["segment_labels"], self.num_classes))
    with tf.control_dependencies([check(good)]):
      num_frames = tf.minimum(tf.reduce_min(counts, axis=1), self.max_frames)
    rated, outside = segments.rated_segments(context, num_frames, self.num_classes)
    videos, starts = rated["video"], rated["start"]
    left = tf.gather(num_frames, videos) - starts
    return {
        "id": tf.gather(ids, videos),
        "features": {
            name: segments.decode_segments(frames[name], videos, starts, left, size)
            for name, size in self.sizes.items()},
        "num_frames": tf.minimum(left, feature_spec.SEGMENT_FRAMES),
        "labels": rated["labels"], "label_weights": rated["label_weights"],
        "segment_start_times": starts}, outside
