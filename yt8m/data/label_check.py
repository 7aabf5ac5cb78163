# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Looks at the labels of training records: can anything be learnt from them?"""

from collections.abc import Sequence

from absl import logging

from yt8m.core import feature_spec
from yt8m.data import diagnosis
from yt8m.data import label_reader
from yt8m.data import label_sets
from yt8m.data import reader_base
from yt8m.data import records


def read(reader: reader_base.Reader, files: Sequence[str], num_examples: int,
         labels_required: bool = True, skip_corrupt_records: bool = False,
         skip_bad_records: bool = False) -> label_sets.LabelSets:
  """Returns the label sets of training records, after a look at them.

  Warnings say how many videos have no labels, whether the largest label is far below the
  number of classes, and whether labels are repeated, as in vectors of 0 and 1.

  Args:
    reader: Reader of the training records.
    files: Paths of the records.
    num_examples: Number of records to read, from all files.
    labels_required: Whether it is an error if no record has labels.
    skip_corrupt_records: Whether to count damaged files and go on.
    skip_bad_records: Whether to count records that cannot be used, and go on.

  Raises:
    ValueError: None of the records has a label.
    records.RecordError: A record is bad.
  """
  sets, num_repeated = label_reader.collect_and_count(
      reader, files, num_examples, skip_corrupt_records,
      skip_bad_records=skip_bad_records)
  if not len(sets):
    return sets  # Training says that there are no examples, and why.
  segments = reader.spec.level == feature_spec.SEGMENT
  if not len(sets.classes):
    key = "segment_labels with a score above 0" if segments else "labels"
    message = (f"None of the first {len(sets):,} examples of the training records has a "
               f"label. Class numbers are expected in {key}; {_first_keys(files)}.")
    if labels_required:
      raise ValueError(f"{message} Nothing can be learnt from them.")
    logging.warning("%s", message)
    return sets
  empty, largest = int((sets.sizes == 0).sum()), int(sets.classes.max())
  logging.info("Labels of the first %s examples: %.2f on average, the largest is %d.",
               f"{len(sets):,}", sets.sizes.mean(), largest)
  if empty and not segments:  # Most rated segments have only scores of 0.
    logging.warning("%s of %s videos (%.1f%%) have no labels: they are trained as "
                    "examples of no class.", f"{empty:,}", f"{len(sets):,}",
                    100 * empty / len(sets))
  if 2 * (largest + 1) <= reader.num_classes:
    logging.warning("The largest label is %d, but there are %d classes: is "
                    "--num_classes right?", largest, reader.num_classes)
  if num_repeated:
    hint = (" Are these vectors of 0 and 1? Labels must be class numbers, such as 2 and "
            "4 for 0, 0, 1, 0, 1." if largest <= 1 else "")
    logging.warning("%s labels appear again in the same video, and count once.%s",
                    f"{num_repeated:,}", hint)
  return sets


def _first_keys(files):
  for serialized, _, _ in records.read(files[:1]).take(1).as_numpy_iterator():
    record = diagnosis.Record.FromString(serialized)
    keys = ", ".join(sorted(record.context.feature))
    return f"the first record of {files[0]} has {keys}"
  return "there is no record"
