# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The base of the three readers: which records an epoch has, and in which order."""

import abc
import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import files as files_lib
from yt8m.core import paths
from yt8m.core.types import Batch
from yt8m.data import bad_records
from yt8m.data import dataset
from yt8m.data import diagnosis
from yt8m.data import epochs
from yt8m.data import file_batches
from yt8m.data import local_records
from yt8m.data import missing_features
from yt8m.data import parsing
from yt8m.data import records

# Function that maps a function of records and their names over a dataset of batches.
MapNamed = Callable[[tf.data.Dataset, Callable], tf.data.Dataset]


class Reader(abc.ABC):
  """Base of the readers of video-level, frame-level and segment records.

  Args:
    spec: Names, sizes and types of the features.
    num_classes: Number of classes, C.
    of_model: Whether both are those of a trained model, for the advice in errors.

  Attributes:
    spec: Names, sizes and types of the features.
    sizes: `{name: size}` of the features.
    dtypes: `{name: dtype}` of the features.
    num_classes: Number of classes, C.
    expected: The same, for `diagnosis`.
    incidents: `records.Incidents` with the counts of what was left out or shortened.
  """
  # Whether examples are counted after they are parsed.
  SKIPS_PARSED = False
  # Records in the shuffle buffer, by default.
  SHUFFLE_BUFFER = 1024
  # Description of a good record, for the errors of `parse_batch`.
  EXPECTED = ""
  # Function of a record and what is expected that explains what is wrong with it.
  EXPLAIN: Callable[..., diagnosis.Fault | None]

  def __init__(self, spec: feature_spec.FeatureSpec, num_classes: int,
               of_model: bool = False):
    self.spec = spec
    self.sizes = dict(zip(spec.names, spec.sizes, strict=True))
    self.num_classes = num_classes
    self.dtypes = dict(zip(spec.names, spec.dtypes, strict=True))
    self.expected = diagnosis.Expected(self.sizes, num_classes, of_model, self.dtypes)
    self.incidents = records.Incidents()
    # Size of a large record: by default one float for each value of the features.
    self._record_bytes = 4 * spec.total_size

  def dataset(self, pattern: str, batch_size: int, training: bool = False,
              shuffle_buffer: int | None = None, *, num_readers: int = 8,
              drop_remainder: bool = False, seed: int = 0, epoch: int | None = 0,
              skip_examples: int = 0, deterministic: bool = True,
              skip_corrupt_records: bool = False, skip_bad_records: bool = False,
              input_pipeline: tf.distribute.InputContext | None = None,
              flag: str = "the data pattern") -> tf.data.Dataset:
    """Reads one epoch.

    In order, one file comes after the other. Shuffled, the files are permuted and joined
    to windows of at least `shuffle_buffer` records and `num_readers` files, and the
    records of each window are permuted; so a small data set is shuffled as a whole. Only
    the places of records are kept for that, not their bytes (`local_records`).

    If a file is remote or compressed, `num_readers` files are read interleaved, and
    records are drawn from a buffer of `shuffle_buffer` records (`records`).

    Args:
      pattern: Comma-separated globs.
      batch_size: Number of examples in a batch.
      training: Whether the records are shuffled.
      shuffle_buffer: Least number of records that are shuffled together. Default: 1,024,
        at video level 16,384.
      num_readers: Least number of files that are shuffled together.
      drop_remainder: Whether a last, smaller batch is left out, for static shapes.
      seed: Seed of the order in training (besides `tf.random.set_seed`, where used).
      epoch: Number of the epoch. Together with `seed` it determines the order. None:
        each iteration of the dataset is another epoch, as `fit` of Keras expects.
      skip_examples: Number of examples at the start of the epoch to leave out. At video
        and frame level they are not parsed, unless bad records are skipped.
      deterministic: Whether the order is the same every time. For remote or compressed
        files it costs up to a third of the speed.
      skip_corrupt_records: Whether the rest of a damaged file is logged, counted in
        `incidents` and left out instead of raising an error. Local files are then read
        twice, once to check them.
      skip_bad_records: Whether the same is done with each record that can be read but
        not be used. Every record is parsed then, which takes longer.
      input_pipeline: Number and index of this input pipeline. The files are divided
        among the pipelines, or their records if the files cannot be shared evenly.
      flag: Name of the pattern in errors.

    Returns:
      A `tf.data.Dataset` of dictionaries:
        id: (batch_size,) string.
        features: {name: (batch_size, max_frames, size)}, at video level {name:
          (batch_size, size)}, of the type in the spec.
        num_frames: (batch_size,) int32; 1 at video level.
        labels: (batch_size, num_classes) bool, a quarter of the bytes of float32; for
          segments the scores, float32.
        label_weights: (batch_size, num_classes) float32, 1 where a class is rated
          (segments only).
        segment_start_times: (batch_size,) int32 (segments only).

    Raises:
      ValueError: No file matches.
      tf.errors.InvalidArgumentError: A record is bad (raised while reading). Inside
        `records.clear_errors()` it becomes a `records.RecordError`.
    """
    files = paths.match(pattern, flag)
    shard = None
    if input_pipeline and input_pipeline.num_input_pipelines > 1:
      files, shard = epochs.share(files, input_pipeline)
    window = (shuffle_buffer or self.SHUFFLE_BUFFER) if training else 0
    dataset, files = epochs.read(
        files, window, num_readers, seed, epoch, shard, record_bytes=self._record_bytes,
        deterministic=deterministic, skip_corrupt_records=skip_corrupt_records,
        incidents=self.incidents)
    return self._parsed(dataset, files, batch_size, drop_remainder, skip_examples,
                        deterministic, skip_bad_records)

  def file_reader(self, batch_size: int, skip_corrupt_records: bool = False,
                  skip_bad_records: bool = False) -> file_batches.FileBatches:
    """Returns a function from the path of a file to its batches, as in `dataset`.

    It is meant for many files that are read one by one, each in order.
    """
    def kind(path):
      return "local" if epochs.are_local([path]) else (
          "remote" if files_lib.is_remote(path) else "compressed")

    def pipeline(path, kind):
      files = path[tf.newaxis]
      if kind == "local":
        dataset = local_records.LocalRecords(
            files, skip_corrupt_records=skip_corrupt_records, incidents=self.incidents)
      else:
        dataset = records.read(
            files, num_readers=1, record_bytes=self._record_bytes,
            remote=kind == "remote", skip_corrupt_records=skip_corrupt_records,
            incidents=self.incidents)
      return self._parsed(dataset, files, batch_size,
                          skip_bad_records=skip_bad_records)

    return file_batches.FileBatches(pipeline, kind)

  def parse_batch(self, serialized: tf.Tensor) -> Batch:
    """Parses (batch_size,) serialized records to the dictionary of `dataset`.

    The graph holds no Python, so that a SavedModel can contain it. Segments have one row
    each, so there may be more or fewer rows than records.

    Raises:
      tf.errors.InvalidArgumentError: A record is bad.
    """
    names = parsing.row_names(serialized)
    sizes, of_values = self.sizes, " in bytes"
    if not self.spec.has_default_dtypes:
      sizes, of_values = {name: f"{size} {self.dtypes[name]}"
                          for name, size in self.sizes.items()}, ", all finite"
    expected = self.EXPECTED.format(
        num_classes=self.num_classes, sizes=sizes, of_values=of_values)
    return self._parse(serialized, names, parsing.check_plainly(names, expected))[0]

  def check_features(self, files: Sequence[str], flag: str) -> None:
    """Checks that records have the features; the arguments are those of
    `missing_features.check`.

    Raises:
      ValueError: None of the records has one of the features, but they have others, or
        `dataset.json` beside them names another extractor than that of this reader.
    """
    if data := dataset.Dataset.beside(files):
      self.spec.check_extractor(data.spec, data.directory)
    missing_features.check(files, self.expected, self.explain, flag)

  def explain(self, record: diagnosis.Record) -> diagnosis.Fault | None:
    """Explains why this reader cannot use a record."""
    return type(self).EXPLAIN(record, self.expected)

  def parse_ids(self, serialized: tf.Tensor, names: tf.Tensor) -> tf.Tensor:
    """Returns the ids of (batch_size,) records of any level."""
    context, _, _ = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES, example_names=names)
    check = parsing.check_explaining(serialized, names, diagnosis.explain_id)
    with tf.control_dependencies([check(parsing.valid_ids(context))]):
      return tf.identity(parsing.video_ids(context))

  def parse_labels(self, serialized: tf.Tensor, names: tf.Tensor
                   ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns what is in (batch_size,) records besides features.

    Returns:
      The ids; the labels, (batch_size, num_classes); and the number of labels that a
      video has twice or more, a scalar.
    """
    context, _, _ = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES | parsing.LABEL_FEATURES, example_names=names)
    check = parsing.check_explaining(serialized, names, self.explain_labels)
    with tf.control_dependencies([check(self._valid(context, "labels"))]):
      labels = parsing.label_matrix(context["labels"], self.num_classes)
    return (parsing.video_ids(context), labels,
            tf.size(context["labels"].values)
            - tf.math.count_nonzero(labels, dtype=tf.int32))

  def explain_labels(self, record: diagnosis.Record) -> diagnosis.Fault | None:
    """Explains why `parse_labels` cannot use a record."""
    return diagnosis.explain_id_and_labels(record, self.expected)

  def _parsed(self, dataset, files, batch_size, drop_remainder=False, skip_examples=0,
              deterministic=True, skip_bad_records=False):
    """Turns `LocalRecords`, or what `records.read` returns for `files`, into batches."""
    local = isinstance(dataset, local_records.LocalRecords)
    map_named: Any = dataset.map_named if local else functools.partial(
        records.map_named, files=files, deterministic=deterministic)

    def map_skipping(batches, parse):
      return bad_records.map_skipping(
          dataset.strings(batches) if local else batches, parse, files, deterministic,
          check=self._parse_explaining, explain=self.explain, incidents=self.incidents)

    if skip_bad_records:
      map_named = map_skipping
    if not (skip_bad_records or self.SKIPS_PARSED):
      dataset, skip_examples = dataset.skip(skip_examples), 0
    return self._batches(dataset, map_named, batch_size, drop_remainder, skip_examples,
                         skip_bad_records).prefetch(tf.data.AUTOTUNE)

  def _examples(self, batch, rest, names, decoded, parsed):
    """Returns the examples of a batch that was decoded, or else has to be parsed.

    Args:
      batch: `locators` of the records, (batch_size, 4).
      rest: The records without the features that were decoded, (batch_size,) string;
        empty where a record has to be parsed, and with it the batch.
      names: Names of the records in errors, (batch_size,) string.
      decoded: Function of ids and labels that returns the examples.
      parsed: Function that returns them from the records.
    """
    # Records without anything have no id, and so they are not valid.
    context, _, _ = tf.io.parse_sequence_example(
        tf.ensure_shape(rest, batch.shape[:1]),
        parsing.ID_FEATURES | parsing.LABEL_FEATURES, example_names=names)

    examples = tf.cond(
        tf.reduce_all(self._valid(context, "labels")),
        lambda: decoded(parsing.video_ids(context), parsing.label_matrix(
            context["labels"], self.num_classes)), parsed)
    labels = tf.ensure_shape(examples["labels"], [batch.shape[0], self.num_classes])
    return examples | {"labels": labels}

  def _parse_explaining(self, serialized, names):
    """Parses like `_parse`, with an error that explains what is wrong with a record."""
    return self._parse(serialized, names, parsing.check_explaining(
        serialized, names, self.explain))

  def _valid(self, context: dict[str, Any], labels: str) -> tf.Tensor:
    """Returns whether a record has an id and only valid labels, (batch_size,) bool."""
    return parsing.valid_ids(context) & parsing.valid_labels(
        context[labels], self.num_classes)

  @abc.abstractmethod
  def _parse(self, serialized: tf.Tensor, names: tf.Tensor, check: parsing.Check
             ) -> tuple[Batch, Any]:
    """Parses records; returns the examples, and what is needed to report incidents."""

  @abc.abstractmethod
  def _batches(self, dataset: tf.data.Dataset, map_named: MapNamed, batch_size: int,
               drop_remainder: bool, skip_examples: int, skip_bad_records: bool
               ) -> tf.data.Dataset:
    """Turns the records of an epoch into batches of examples.

    With `skip_bad_records`, `map_named` may return rows of records without a name, which
    are to be left out.
    """
