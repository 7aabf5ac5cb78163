# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How frequent every class is: a pass over labels alone."""

import numpy as np
import tensorflow as tf

from yt8m import parsing
from yt8m import records

_BATCH = 256
# What a class without a positive is taken to have: it is rare, not impossible.
_PSEUDO_COUNT = 0.1


def label_counts(reader, files, max_examples, skip_corrupt_records=False):
  """Counts the labels of the first records of every file, features left unparsed.

  Args:
    reader: a reader of `yt8m.readers`.
    files: paths of the records.
    max_examples: records to look at, spread evenly over the files.
    skip_corrupt_records: leaves damaged files instead of raising an error.

  Returns:
    `(counts, num_examples)`: (num_classes,) float64 and an int.

  Raises:
    records.RecordError: a record is bad.
  """
  per_file = -(-max_examples // len(files))
  dataset = records.read(
      files, max_per_file=per_file, skip_corrupt_records=skip_corrupt_records)
  dataset = dataset.take(max_examples).batch(_BATCH).map(
      lambda serialized, *where: reader.parse_labels(
          serialized, parsing.record_names(files, *where)),
      num_parallel_calls=tf.data.AUTOTUNE).prefetch(1)
  counts, num_examples = np.zeros(reader.num_classes), 0
  with records.clear_errors():
    for labels in dataset:
      counts += np.sum(labels.numpy(), axis=0, dtype=np.float64)
      num_examples += len(labels)
  return counts, num_examples


def class_prior(reader, files, max_examples, skip_corrupt_records=False):
  """`(counts + 0.1) / (num_examples + 1)` of `label_counts`: (num_classes,)."""
  counts, num_examples = label_counts(
      reader, files, max_examples, skip_corrupt_records)
  return (counts + _PSEUDO_COUNT) / (num_examples + 1)
