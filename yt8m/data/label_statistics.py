# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How frequent every class is, and which come together: passes without features."""

import numpy as np
import tensorflow as tf

from yt8m.data import label_sets
from yt8m.data import parsing
from yt8m.data import records

_BATCH = 256


def label_batches(reader, files, max_examples=None, skip_corrupt_records=False):
  """Yields ids and labels of the first records of every file, features left unparsed.

  Args:
    reader: a reader of `yt8m.data.readers`.
    files: paths of the records.
    max_examples: records to look at, spread evenly over the files; None: all.
    skip_corrupt_records: leaves damaged files instead of raising an error.

  Yields:
    `(ids, labels)`: (batch_size,) bytes, and (batch_size, num_classes).

  Raises:
    records.RecordError: a record is bad.
  """
  return _parsed(reader.parse_labels, files, max_examples, skip_corrupt_records)


def video_ids(reader, files, skip_corrupt_records=False):
  """Ids of records of any level, (n,) bytes; see `label_batches` for the arguments."""
  return np.concatenate([np.zeros(0, object), *_parsed(
      reader.parse_ids, files, None, skip_corrupt_records)])


def _parsed(parse, files, max_examples, skip_corrupt_records):
  """Yields what `parse(serialized, names)` makes of batches of records."""
  per_file = None if max_examples is None else -(-max_examples // len(files))
  dataset = records.read(
      files, max_per_file=per_file, skip_corrupt_records=skip_corrupt_records)
  if max_examples is not None:
    dataset = dataset.take(max_examples)

  @tf.autograph.experimental.do_not_convert
  def parse_named(serialized, *where):
    return parse(serialized, parsing.record_names(files, *where))

  dataset = dataset.batch(_BATCH).map(
      parse_named, num_parallel_calls=tf.data.AUTOTUNE).prefetch(1)
  with records.clear_errors():
    yield from dataset.as_numpy_iterator()


def label_counts(reader, files, max_examples=None, skip_corrupt_records=False):
  """Counts the labels of every class; arguments and errors: see `label_batches`.

  Returns:
    `(counts, num_examples)`: (num_classes,) float64 and an int.
  """
  counts, num_examples = np.zeros(reader.num_classes), 0
  for _, labels in label_batches(reader, files, max_examples, skip_corrupt_records):
    counts += np.sum(labels, axis=0, dtype=np.float64)
    num_examples += len(labels)
  return counts, num_examples


def class_prior(reader, files, max_examples=None, skip_corrupt_records=False):
  """`(counts + 0.1) / (num_examples + 1)` of `label_counts`: (num_classes,)."""
  counts, num_examples = label_counts(
      reader, files, max_examples, skip_corrupt_records)
  return label_sets.prior(counts, num_examples)


def collect_label_sets(reader, files, max_examples=None, skip_corrupt_records=False,
                       report=lambda num_examples: None):
  """`LabelSets` of the records, with ids; arguments and errors: see `label_batches`.

  Args:
    report: is called with the number of examples so far, batch after batch.
  """
  parts, num_examples = [], 0
  for ids, labels in label_batches(reader, files, max_examples, skip_corrupt_records):
    parts.append(label_sets.LabelSets.from_matrix(labels, ids))
    num_examples += len(labels)
    report(num_examples)
  return label_sets.concatenate(parts, reader.num_classes)
