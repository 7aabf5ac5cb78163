# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the three readers share: which records of an epoch, in which order."""

import numpy as np
import tensorflow as tf

from yt8m.data import diagnosis
from yt8m.data import file_batches
from yt8m.data import parsing
from yt8m.data import records


class Reader:
  """Base of the three readers.

  Attributes:
    incidents: `records.Incidents`, counts what was left out or shortened.
  """
  SHUFFLE_BUFFER = 1024

  def __init__(self, spec, num_classes):
    self.spec = spec
    self.sizes = dict(zip(spec.names, spec.sizes, strict=True))
    self.num_classes = num_classes
    self.incidents = records.Incidents()

  def dataset(self, pattern, batch_size, training=False, shuffle_buffer=None,
              num_readers=8, drop_remainder=False, seed=0, epoch=0, skip_examples=0,
              deterministic=True, skip_corrupt_records=False, input_pipeline=None,
              flag="the data pattern"):
    """Reads one epoch.

    Args:
      pattern: comma-separated globs.
      batch_size: examples in a batch.
      training: shuffles the files, and the records in a buffer of `shuffle_buffer`.
      shuffle_buffer: records in that buffer; by default 1,024, at video level 16,384.
      num_readers: files read at the same time.
      drop_remainder: leaves out a last, smaller batch: static shapes.
      seed, epoch: what the order is a function of, in training (and of
        `tf.random.set_seed`, where that is used).
      skip_examples: leaves out the first examples of the epoch, at video and frame
        level before they are parsed; there a video without frames counts as one.
      deterministic: the same order every time, at a cost of up to a third in speed.
      skip_corrupt_records: leaves a damaged file at its first bad record instead of
        raising an error; logged, and counted in `incidents`.
      input_pipeline: a `tf.distribute.InputContext`; the files are divided among the
        pipelines, or the records where files are fewer than pipelines.
      flag: what to call the pattern in errors.

    Returns:
      A `tf.data.Dataset` of dicts:
        id: (batch_size,) string.
        features: {name: (batch_size, max_frames, size) uint8}, at video level
          {name: (batch_size, size) float32}.
        num_frames: (batch_size,) int32; 1 at video level.
        labels: (batch_size, num_classes) bool, a quarter of the bytes of float32;
          for segments the scores, float32.
        label_weights: (batch_size, num_classes) float32, 1 where a class is rated
          (segments only).
        segment_start_times: (batch_size,) int32 (segments only).

    Raises:
      ValueError: no file matches.
      tf.errors.InvalidArgumentError: while reading, for a bad record; a
        `records.RecordError` inside `records.clear_errors()`.
    """
    files = records.match_files(pattern, flag)
    order = np.random.default_rng([seed, epoch])
    if training:
      files = [files[i] for i in order.permutation(len(files))]
    shard = None
    if input_pipeline and input_pipeline.num_input_pipelines > 1:
      shard = (input_pipeline.num_input_pipelines, input_pipeline.input_pipeline_id)
      if len(files) >= shard[0]:
        files, shard = files[shard[1]::shard[0]], None
    dataset = records.read(
        files, num_readers, self._record_bytes(), shard, deterministic=deterministic,
        skip_corrupt_records=skip_corrupt_records, incidents=self.incidents)
    if training:
      dataset = dataset.shuffle(
          shuffle_buffer or self.SHUFFLE_BUFFER, seed=int(order.integers(2**31)),
          reshuffle_each_iteration=False)
    return self._parsed(dataset, files, batch_size, drop_remainder, skip_examples,
                        deterministic)

  def file_reader(self, batch_size, skip_corrupt_records=False):
    """Returns a function from a path to the batches of that file, as of `dataset`.

    For many files, each read by itself and in order (`file_batches.FileBatches`).
    """
    def pipeline(path, remote):
      files = path[tf.newaxis]
      dataset = records.read(
          files, num_readers=1, record_bytes=self._record_bytes(), remote=remote,
          skip_corrupt_records=skip_corrupt_records, incidents=self.incidents)
      return self._parsed(dataset, files, batch_size)

    return file_batches.FileBatches(pipeline)

  def _parsed(self, dataset, files, batch_size, drop_remainder=False, skip_examples=0,
              deterministic=True):
    """Turns what `records.read` gives for `files` into batches of examples."""
    def map_named(records, function):
      """Maps `function(serialized, names)` over batches of records."""
      @tf.autograph.experimental.do_not_convert
      def named(serialized, *where):
        return function(serialized, parsing.record_names(files, *where))

      return records.map(
          named, num_parallel_calls=tf.data.AUTOTUNE, deterministic=deterministic)

    dataset = self._batches(
        dataset, map_named, batch_size, drop_remainder, skip_examples)
    return dataset.prefetch(tf.data.AUTOTUNE)

  def parse_batch(self, serialized):
    """Parses (batch_size,) serialized records to the dict of `dataset`.

    Holds no Python: a SavedModel can contain it.

    Raises:
      tf.errors.InvalidArgumentError: a record is bad, or has no frames.
    """
    # Each of the three readers defines its own.
    raise NotImplementedError

  def parse_ids(self, serialized, names):
    """Returns the ids of (batch_size,) records alone; the level does not matter."""
    context, _, _ = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES, example_names=names)
    ids = parsing.video_ids(context)
    check = parsing.stop_explaining(serialized, names, diagnosis.explain_id)
    with tf.control_dependencies([check(tf.not_equal(ids, ""))]):
      return tf.identity(ids)

  def parse_labels(self, serialized, names):
    """Returns ids and labels of (batch_size,) records, as `dataset`, no features."""
    context, _, _ = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES | parsing.LABEL_FEATURES, example_names=names)
    ids, labels = parsing.video_ids(context), context["labels"]
    check = parsing.stop_explaining(
        serialized, names, lambda record: diagnosis.explain_id_and_labels(
            record, self.num_classes))
    good = tf.not_equal(ids, "") & parsing.valid_labels(labels, self.num_classes)
    with tf.control_dependencies([check(good)]):
      return tf.identity(ids), parsing.label_matrix(labels, self.num_classes)

  def _record_bytes(self):
    """Returns the size of a large record."""
    # Each of the three readers defines its own.
    raise NotImplementedError

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples):
    """Turns the records of an epoch into batches of examples."""
    # Each of the three readers defines its own.
    raise NotImplementedError
