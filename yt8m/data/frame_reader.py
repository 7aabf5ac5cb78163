# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frame-level records to batches of padded frames."""

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import video_ids
from yt8m.data import bad_records
from yt8m.data import diagnosis
from yt8m.data import float_frames
from yt8m.data import frame_decoder
from yt8m.data import local_records
from yt8m.data import missing_features
from yt8m.data import parsing
from yt8m.data import reader_base

# Number of records that are parsed and padded together. While they are parsed, frames
# are single strings, and more of them would not fit the processor's cache.
CHUNK_SIZE = 16


class FrameLevelReader(reader_base.Reader):
  """Reads `SequenceExample`s with one byte string a frame for each feature.

  The frames of a float feature may be lists of floats as well (`float_frames`).

  The first `max_frames` frames are kept. If the features of a video differ in length,
  the shortest one counts. A feature that a video lacks is zeros, and a video without any
  has one frame of zeros. A warning names the record in each case, and `incidents` counts
  them.

  Args:
    spec: Names, sizes and types of the features.
    num_classes: Number of classes, C.
    max_frames: Number of frames of a video that are kept.
    pad_to_max_frames: Whether videos are padded to `max_frames`. False pads them to the
      longest video of the batch, so that shapes are not static.
    of_model: Whether the first three are those of a trained model, for the advice in
      errors.
  """
  EXPECTED = ("an id, labels below {num_classes}, and frames with at least one of "
              "these features and sizes{of_values}: {sizes}.")
  EXPLAIN = diagnosis.explain_frames

  def __init__(self, spec: feature_spec.FeatureSpec, num_classes: int,
               max_frames: int = 300, pad_to_max_frames: bool = True,
               of_model: bool = False):
    super().__init__(spec, num_classes, of_model)
    self.max_frames = max_frames
    self.pad_to_max_frames = pad_to_max_frames
    self._record_bytes = max_frames * spec.frame_bytes

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples,
               skip_bad_records):
    if drop_remainder and not self.pad_to_max_frames:
      raise ValueError("drop_remainder, for static shapes, needs pad_to_max_frames.")
    if isinstance(dataset, local_records.LocalRecords) and not skip_bad_records:
      return self._decoded_batches(dataset, batch_size, drop_remainder)
    if not self.pad_to_max_frames:
      batches = map_named(dataset.batch(batch_size), self._parse_and_report)
      if not skip_bad_records:
        return batches.map(lambda examples, keep: examples)
      batches = bad_records.drop_first(
          batches.map(bad_records.keep_rows), skip_examples)
      return batches.filter(lambda batch: tf.size(batch["id"]) > 0)

    chunk_size = min(CHUNK_SIZE, batch_size)

    def parse_chunk(serialized, names):
      # A smaller chunk at the end is filled up with rows that have no name. As all chunks
      # then have one size, `batch` copies each to its place as soon as it is parsed.
      missing = [[0, chunk_size - tf.size(serialized)]]
      serialized, names = tf.cond(
          missing[0][1] > 0,
          lambda: tuple(tf.pad(x, missing, constant_values="")
                        for x in (serialized, names)),
          lambda: (serialized, names))
      return self._parse_and_report(
          tf.ensure_shape(serialized, [chunk_size]), tf.ensure_shape(names, [chunk_size]))

    @tf.autograph.experimental.do_not_convert
    def merge_chunks(examples, keep):
      return bad_records.keep_rows(*tf.nest.map_structure(
          lambda x: tf.reshape(x, [-1, *x.shape[2:]]), (examples, keep)))

    chunks = map_named(dataset.batch(chunk_size), parse_chunk)
    batches = chunks.batch(-(-batch_size // chunk_size)).map(merge_chunks)
    return bad_records.drop_first(batches, skip_examples).rebatch(
        batch_size, drop_remainder)

  def _decoded_batches(self, dataset, batch_size, drop_remainder):
    decoder = frame_decoder.FrameDecoder(
        self.spec, self.max_frames, self.pad_to_max_frames, batch_size)
    read_strings = dataset.strings_reader()
    length = self.max_frames if self.pad_to_max_frames else None

    def call(batch):
      rest, counts, *frames = dataset.read(decoder.read, decoder.types, batch)
      names = dataset.names(batch)

      def decoded(ids, labels):
        num_frames = tf.ensure_shape(counts, [batch.shape[0], len(self.sizes)])
        return self._report({
            "id": ids,
            "features": {
                name: tf.ensure_shape(x, [batch.shape[0], length, self.sizes[name]])
                for name, x in zip(self.sizes, frames, strict=True)},
            "num_frames": tf.clip_by_value(shortest(num_frames), 1, self.max_frames),
            "labels": labels}, num_frames, names)
      return self._examples(
          batch, rest, names, decoded,
          lambda: self._parse_and_report(read_strings(batch), names)[0])

    return dataset.map(dataset.batch(batch_size, drop_remainder), call)

  def _parse_and_report(self, serialized, names):
    """Returns the examples, and which of them have a name."""
    examples, counts = self._parse_explaining(serialized, names)
    return self._report(examples, counts, names), tf.not_equal(names, "")

  def _report(self, examples, counts, names):
    """Returns the examples, and reports which of them lack frames."""
    def report(names, ids, counts):
      for name, video_id, row in zip(names, ids, counts, strict=True):
        if name and len(set(row[row > 0])) > 1:
          frames = dict(zip(self.sizes, row.tolist(), strict=True))
          self.incidents.add(
              "features of different length",
              f"{name.decode(errors='replace')} (id {video_ids.as_text(video_id)}) has "
              f"these numbers of frames: {frames}. The first {min(row[row > 0])} count.")
      return True

    reported = tf.cond(
        tf.reduce_all(_all_equal(counts) | tf.equal(names, "")), lambda: True,
        lambda: tf.numpy_function(
            report, [names, examples["id"], counts], tf.bool, stateful=False))
    with tf.control_dependencies([
        reported, missing_features.report(
            self.incidents, self.spec.names, names, examples["id"], counts > 0)]):
      return tf.nest.map_structure(tf.identity, examples)

  def _parse(self, serialized, names, check):
    """Returns the examples, and the number of frames of each feature."""
    context, frames, counts, good = self._parse_frames(
        serialized, parsing.LABEL_FEATURES, names)
    good &= self._valid(context, "labels")
    with tf.control_dependencies([check(good, tf.reduce_all(counts < 1, axis=1))]):
      num_frames = tf.clip_by_value(shortest(counts), 1, self.max_frames)
      return {
          "id": tf.identity(parsing.video_ids(context)),
          "features": self._decode(frames, counts, num_frames),
          "num_frames": num_frames,
          "labels": parsing.label_matrix(context["labels"], self.num_classes)}, counts

  def _parse_frames(self, serialized, context_features, names):
    """Parses records without checking them.

    Returns:
      The context; {name: (batch_size, num_frames) string} of 8-bit features and {name:
      (batch_size, num_frames, size)} of floats, of one length; the number of frames of
      each feature, (batch_size, num_features) int32; and whether all frames of a record
      can be used, (batch_size,) bool.
    """
    in_bytes = [name for name in self.sizes if self.dtypes[name] == feature_spec.UINT8]
    context, frames, lengths = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES | context_features,
        {name: tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True)
         for name in in_bytes}, example_names=names)
    floats = float_frames.parse(serialized, names, self.spec)
    frames = _of_one_length({name: floats[name].values if name in floats else frames[name]
                             for name in self.sizes})
    counts = tf.stack([floats[name].counts if name in floats
                       else tf.cast(lengths[name], tf.int32) for name in self.sizes], 1)
    good = tf.ones_like(counts[:, 0], tf.bool)
    for i, (name, size) in enumerate(self.sizes.items()):
      if name in floats:
        good &= floats[name].good
        continue
      num_bytes = tf.strings.length(frames[name])
      expected = tf.where(_exists(counts[:, i], tf.shape(num_bytes)[1]), size, 0)
      good &= tf.reduce_all(tf.equal(num_bytes, expected), axis=1)
    return context, frames, counts, good

  def _decode(self, frames, counts, num_frames):
    """Returns the frames as {name: (batch_size, max_frames, size)} of their dtype."""
    length = tf.maximum(tf.reduce_max(num_frames), 1)  # a batch may be empty
    values = {
        name: decoded(frames[name], size)[:, :length]
        for name, size in self.sizes.items()}

    def masked():
      exists = _exists(num_frames, length)[:, :, tf.newaxis]
      return {name: tf.where(exists, x, tf.zeros([], x.dtype))
              for name, x in values.items()}

    # The frames of a feature beyond the end of a shorter one are padding.
    values = tf.cond(tf.reduce_all(_all_equal(counts)), lambda: values, masked)
    if not self.pad_to_max_frames:
      return values
    padding = tf.convert_to_tensor([[0, 0], [0, self.max_frames - length], [0, 0]])
    return {
        name: tf.ensure_shape(tf.pad(values[name], padding),
                              [counts.shape[0], self.max_frames, size])
        for name, size in self.sizes.items()}


def _exists(num_frames: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
  """Returns (batch_size, length) bool, True for the first `num_frames` of each row."""
  return tf.range(length) < num_frames[:, tf.newaxis]


def _all_equal(counts: tf.Tensor) -> tf.Tensor:
  return tf.reduce_all(counts == counts[:, :1], axis=1)


def shortest(counts: tf.Tensor) -> tf.Tensor:
  """Returns the number of frames of the shortest feature that is there, or 0."""
  shortest = tf.reduce_min(tf.where(counts > 0, counts, counts.dtype.max), axis=1)
  return tf.where(tf.reduce_any(counts > 0, axis=1), shortest, 0)


def decoded(frames: tf.Tensor, size: int) -> tf.Tensor:
  """Returns frames as numbers: strings of 8-bit numbers, which may be empty, or floats.

  Args:
    frames: (…,) string, or (…, size) float.
    size: Number of values of a frame.
  """
  if frames.dtype != tf.string:
    return frames
  return tf.io.decode_raw(frames, tf.uint8, fixed_length=size)


def _of_one_length(frames):
  """Pads features to the longest, with empty strings or zeros; at least one frame."""
  lengths = [tf.shape(x)[1] for x in frames.values()]
  longest = tf.maximum(tf.reduce_max(lengths), 1)

  def padded():
    return {name: tf.pad(x, tf.convert_to_tensor(
        [[0, 0], [0, longest - length], *[[0, 0]] * (len(x.shape) - 2)]),
        constant_values=tf.zeros([], x.dtype))
            for (name, x), length in zip(frames.items(), lengths, strict=True)}

  return tf.cond(tf.reduce_all(tf.equal(lengths, longest)), lambda: frames, padded)
