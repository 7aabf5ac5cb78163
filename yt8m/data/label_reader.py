# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads the labels or the ids of records and leaves their features unparsed."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.data import label_sets
from yt8m.data import reader_base
from yt8m.data import records

_BATCH = 256


def collect_label_sets(reader: reader_base.Reader, files: Sequence[str],
                       max_examples: int | None = None,
                       skip_corrupt_records: bool = False,
                       report: Callable[[int], Any] = lambda num_examples: None
                       ) -> label_sets.LabelSets:
  """Returns the label sets of records, with ids.

  Args:
    reader: Reader for the level of the records.
    files: Paths of the record files.
    max_examples: Number of records to read, the first ones of every file. Default: all.
    skip_corrupt_records: Whether the rest of a damaged file is left out instead of
      raising an error.
    report: Function that is called after each batch with the number of label sets.

  Raises:
    records.RecordError: A record is bad.
  """
  parts, num_examples = [], 0
  for ids, labels in _read(
      reader.parse_labels, files, max_examples, skip_corrupt_records):
    parts.append(label_sets.LabelSets.from_matrix(labels, ids))
    num_examples += len(labels)
    report(num_examples)
  return label_sets.concatenate(parts, reader.num_classes)


def video_ids(reader: reader_base.Reader, files: Sequence[str],
              skip_corrupt_records: bool = False) -> np.ndarray:
  """Returns the ids of records of any level, (n,) bytes; see `collect_label_sets`."""
  return np.concatenate([np.zeros(0, object), *_read(
      reader.parse_ids, files, None, skip_corrupt_records)])


def _read(parse, files, max_examples, skip_corrupt_records):
  """Yields the results of `parse(serialized, names)` for batches of records."""
  per_file = None if max_examples is None else -(-max_examples // len(files))
  dataset = records.read(
      files, max_per_file=per_file, skip_corrupt_records=skip_corrupt_records)
  if max_examples is not None:
    dataset = dataset.take(max_examples)
  with records.clear_errors():
    yield from records.map_named(
        dataset.batch(_BATCH), parse, files).prefetch(1).as_numpy_iterator()
