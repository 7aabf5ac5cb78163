# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads the labels or the ids of records and leaves their features unparsed."""

import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.data import bad_records
from yt8m.data import diagnosis
from yt8m.data import label_sets
from yt8m.data import reader_base
from yt8m.data import records

_BATCH = 256


def collect_label_sets(reader: reader_base.Reader, files: Sequence[str],
                       max_examples: int | None = None,
                       skip_corrupt_records: bool = False,
                       report: Callable[[int], Any] = lambda num_examples: None, *,
                       skip_bad_records: bool = False) -> label_sets.LabelSets:
  """Returns the label sets of records, with ids.

  Args:
    reader: Reader for the level of the records.
    files: Paths of the record files.
    max_examples: Number of records to read, the first ones of every file. Default: all.
    skip_corrupt_records: Whether the rest of a damaged file is left out instead of
      raising an error.
    report: Function that is called after each batch with the number of label sets.
    skip_bad_records: Whether a record that cannot be used is left out instead.

  Raises:
    records.RecordError: A record is bad.
  """
  return collect_and_count(reader, files, max_examples, skip_corrupt_records, report,
                           skip_bad_records=skip_bad_records)[0]


def collect_and_count(reader: reader_base.Reader, files: Sequence[str],
                      max_examples: int | None = None,
                      skip_corrupt_records: bool = False,
                      report: Callable[[int], Any] = lambda num_examples: None, *,
                      skip_bad_records: bool = False
                      ) -> tuple[label_sets.LabelSets, int]:
  """Returns what `collect_label_sets` returns, and the number of repeated labels."""
  parts, num_examples, num_repeated = [], 0, 0
  for ids, labels, repeated in _read(
      reader, reader.parse_labels, reader.explain_labels, files, max_examples,
      skip_corrupt_records, skip_bad_records):
    there = ids != b""  # Not those of records that are left out.
    parts.append(label_sets.LabelSets.from_matrix(labels[there], ids[there]))
    num_examples += len(parts[-1])
    num_repeated += int(repeated)
    report(num_examples)
  return label_sets.concatenate(parts, reader.num_classes), num_repeated


def video_ids(reader: reader_base.Reader, files: Sequence[str],
              skip_corrupt_records: bool = False, skip_bad_records: bool = False
              ) -> np.ndarray:
  """Returns the ids of records of any level, (n,) bytes; see `collect_label_sets`."""
  ids = np.concatenate([np.zeros(0, object), *_read(
      reader, reader.parse_ids, diagnosis.explain_id, files, None, skip_corrupt_records,
      skip_bad_records)])
  return ids[ids != b""]


def _read(reader, parse, explain, files, max_examples, skip_corrupt_records,
          skip_bad_records):
  """Yields the results of `parse(serialized, names)` for batches of records."""
  per_file = None if max_examples is None else -(-max_examples // len(files))
  dataset = records.read(
      files, max_per_file=per_file, skip_corrupt_records=skip_corrupt_records,
      incidents=reader.incidents)
  if max_examples is not None:
    dataset = dataset.take(max_examples)
  mapped = records.map_named
  if skip_bad_records:
    mapped = functools.partial(bad_records.map_skipping, check=parse, explain=explain,
                               incidents=reader.incidents)
  with records.clear_errors(explain, files):
    yield from mapped(
        dataset.batch(_BATCH), parse, files).prefetch(1).as_numpy_iterator()
