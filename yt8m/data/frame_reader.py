# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frame-level records to batches of padded 8-bit frames."""

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import video_ids
from yt8m.data import diagnosis
from yt8m.data import parsing
from yt8m.data import reader_base

# Number of records that are parsed and padded together. While they are parsed, frames
# are single strings, and more of them would not fit the processor's cache.
CHUNK_SIZE = 16


class FrameLevelReader(reader_base.Reader):
  """Reads `SequenceExample`s with one byte string a frame for each feature.

  The first `max_frames` frames are kept. If the features of a video differ in length,
  the shortest one counts. A video without frames is left out. A warning names the record
  in either case, and `incidents` counts them.

  Args:
    spec: Names and sizes of the features.
    num_classes: Number of classes, C.
    max_frames: Number of frames of a video that are kept.
    pad_to_max_frames: Whether videos are padded to `max_frames`. False pads them to the
      longest video of the batch, so that shapes are not static.
  """
  EXPECTED = ("an id, labels below {num_classes}, and frames with these features "
              "and sizes in bytes: {sizes}.")
  EXPLAIN = diagnosis.explain_frames

  def __init__(self, spec: feature_spec.FeatureSpec, num_classes: int,
               max_frames: int = 300, pad_to_max_frames: bool = True):
    super().__init__(spec, num_classes)
    self.max_frames = max_frames
    self.pad_to_max_frames = pad_to_max_frames
    self._record_bytes = max_frames * spec.total_size

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples):
    dataset = dataset.skip(skip_examples)
    if not self.pad_to_max_frames:
      if drop_remainder:
        raise ValueError("drop_remainder, for static shapes, needs pad_to_max_frames.")
      batches = map_named(dataset.batch(batch_size), self._parse_and_report)
      return batches.map(_keep_rows).filter(lambda batch: tf.size(batch["id"]) > 0)

    chunk_size = min(CHUNK_SIZE, batch_size)

    def parse_chunk(serialized, names):
      # A smaller chunk at the end is filled up with copies of its last record that have
      # no name. As all chunks then have one size, `batch` copies each to its place as
      # soon as it is parsed.
      size = tf.size(serialized)
      rows = tf.minimum(tf.range(chunk_size), size - 1)
      serialized, names = tf.cond(
          size < chunk_size,
          lambda: (tf.gather(serialized, rows), tf.pad(names, [[0, chunk_size - size]])),
          lambda: (serialized, names))
      return self._parse_and_report(
          tf.ensure_shape(serialized, [chunk_size]), tf.ensure_shape(names, [chunk_size]))

    @tf.autograph.experimental.do_not_convert
    def merge_chunks(examples, keep):
      return _keep_rows(*tf.nest.map_structure(
          lambda x: tf.reshape(x, [-1, *x.shape[2:]]), (examples, keep)))

    chunks = map_named(dataset.batch(chunk_size), parse_chunk)
    batches = chunks.batch(-(-batch_size // chunk_size)).map(merge_chunks)
    return batches.rebatch(batch_size, drop_remainder)

  def _parse_and_report(self, serialized, names):
    """Returns the examples, and which of them have a name and frames."""
    examples, counts = self._parse_explaining(serialized, names)

    def report(names, ids, counts):
      for name, video_id, row in zip(names, ids, counts, strict=True):
        if name and not min(row) == max(row) > 0:
          self._report(name.decode(), video_ids.as_text(video_id), row)
      return (names != b"") & (counts.min(axis=1) > 0)

    usual = tf.not_equal(names, "") & _all_equal(counts) & (counts[:, 0] > 0)
    keep = tf.cond(
        tf.reduce_all(usual), lambda: usual, lambda: tf.numpy_function(
            report, [names, examples["id"], counts], tf.bool, stateful=False))
    return examples, tf.ensure_shape(keep, usual.shape)

  def _report(self, name, video_id, counts):
    frames = dict(zip(self.sizes, counts.tolist(), strict=True))
    what = f"{name} (id {video_id}) has these numbers of frames: {frames}"
    if min(counts) == 0:
      self.incidents.add("videos without frames", f"{what}. It is left out.")
    else:
      self.incidents.add(
          "features of different length", f"{what}. The first {min(counts)} count.")

  def _parse(self, serialized, names, check):
    """Returns the examples, and the number of frames of each feature."""
    context, frames, counts, good = self._parse_frames(
        serialized, parsing.LABEL_FEATURES, names)
    with tf.control_dependencies([check(good & self._valid(context, "labels"))]):
      num_frames = tf.minimum(tf.reduce_min(counts, axis=1), self.max_frames)
      return {
          "id": tf.identity(parsing.video_ids(context)),
          "features": self._decode(frames, counts, num_frames),
          "num_frames": num_frames,
          "labels": parsing.label_matrix(context["labels"], self.num_classes)}, counts

  def _parse_frames(self, serialized, context_features, names):
    """Parses records without checking them.

    Returns:
      The context; {name: (batch_size, num_frames) string}; the number of frames of each
      feature, (batch_size, num_features) int32; and whether a record has frames of every
      feature, all of the right size, (batch_size,) bool.
    """
    context, frames, lengths = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES | context_features,
        {name: tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True)
         for name in self.sizes}, example_names=names)
    counts = tf.stack([tf.cast(lengths[name], tf.int32) for name in self.sizes], 1)
    good = tf.reduce_all(counts > 0, axis=1)
    for i, (name, size) in enumerate(self.sizes.items()):
      num_bytes = tf.strings.length(frames[name])
      expected = tf.where(_exists(counts[:, i], tf.shape(num_bytes)[1]), size, 0)
      good &= tf.reduce_all(tf.equal(num_bytes, expected), axis=1)
    return context, frames, counts, good

  def _decode(self, frames, counts, num_frames):
    """Returns the strings as {name: (batch_size, max_frames, size) uint8}."""
    length = tf.maximum(tf.reduce_max(num_frames), 0)  # a batch may be empty
    decoded = {
        name: tf.io.decode_raw(frames[name], tf.uint8, fixed_length=size)[:, :length]
        for name, size in self.sizes.items()}

    def masked():
      exists = _exists(num_frames, length)[:, :, tf.newaxis]
      return {name: tf.where(exists, decoded[name], 0) for name in decoded}

    # The frames of a feature beyond the end of a shorter one are padding.
    decoded = tf.cond(tf.reduce_all(_all_equal(counts)), lambda: decoded, masked)
    if not self.pad_to_max_frames:
      return decoded
    padding = tf.convert_to_tensor([[0, 0], [0, self.max_frames - length], [0, 0]])
    return {
        name: tf.ensure_shape(tf.pad(decoded[name], padding),
                              [counts.shape[0], self.max_frames, size])
        for name, size in self.sizes.items()}


def _exists(num_frames: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
  """Returns (batch_size, length) bool, True for the first `num_frames` of each row."""
  return tf.range(length) < num_frames[:, tf.newaxis]


def _all_equal(counts: tf.Tensor) -> tf.Tensor:
  return tf.reduce_all(counts == counts[:, :1], axis=1)


@tf.autograph.experimental.do_not_convert
def _keep_rows(examples, keep):
  def kept():
    rows = tf.where(keep)[:, 0]
    return tf.nest.map_structure(lambda x: tf.gather(x, rows), examples)
  return tf.cond(tf.reduce_all(keep), lambda: examples, kept)
