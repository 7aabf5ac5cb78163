# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads a set of records once, and keeps what is worth knowing of them."""

import array
import collections
import hashlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.core import feature_spec
from yt8m.core import fields
from yt8m.core import video_ids
from yt8m.data import incidents
from yt8m.data import records
from yt8m.inspecting import contents
from yt8m.inspecting import statistics

_NO_ID = 0
_SHOWN = 3
_LONGEST_NAME = 100


class Inspection:
  """What is known of a set of records.

  Of each record, only its place and digests of its id and features are kept, 32 bytes.

  Attributes:
    files: Paths of the record files.
    num_records: Number of records.
    levels: Number of records of each level.
    features: Statistics of the features, by name.
    lengths: Number of records by their number of frames; empty at video level.
    labels: Number of videos by class.
    ratings: Number of rated segments by class.
    num_labels: Number of records by their number of labels.
    num_uneven: Number of records whose features differ in their number of frames.
    num_repeated: Number of records with a label twice or more.
    faults: The first records with a fault, by the fault.
    num_faults: Number of records with each fault.
    incidents: Counts of damaged and empty files.
  """

  def __init__(self, files: Sequence[str]):
    self.files = list(files)
    self.num_records = self.num_uneven = self.num_repeated = 0
    self.levels: collections.Counter[str] = collections.Counter()
    self.features: dict[str, statistics.FeatureStatistics] = collections.defaultdict(
        statistics.FeatureStatistics)
    self.lengths: collections.Counter[int] = collections.Counter()
    self.labels: collections.Counter[int] = collections.Counter()
    self.ratings: collections.Counter[int] = collections.Counter()
    self.num_labels: collections.Counter[int] = collections.Counter()
    self.faults: dict[str, list[str]] = {}
    self.num_faults: collections.Counter[str] = collections.Counter()
    self.incidents = incidents.Incidents()
    # Rows: digest of the id, digest of the features, file, number in the file.
    self._rows = array.array("Q")
    self._table = np.zeros((0, 4), np.uint64)

  def read(self, max_records: int | None = None,
           report: Callable[[int], Any] = lambda num_records: None) -> None:
    """Reads the records.

    Args:
      max_records: Number of records to read, the first ones of every file. None: all.
      report: Function that is called after each record with the number of records.
    """
    per_file = None if max_records is None else -(-max_records // len(self.files))
    dataset = records.read(self.files, max_per_file=per_file, skip_corrupt_records=True,
                           incidents=self.incidents)
    if max_records is not None:
      dataset = dataset.take(max_records)
    for serialized, index, number in dataset.prefetch(64).as_numpy_iterator():
      self.add(contents.of_record(serialized), int(index), int(number))
      report(self.num_records)
    self.finish()

  def add(self, record: contents.Contents, index: int, number: int) -> None:
    """Adds a record.

    Args:
      record: What it holds.
      index: Index of its file.
      number: Number of the record in the file.
    """
    self.num_records += 1
    place = f"{self.files[index]}, record {number}"
    self._rows.extend((_digest(record.video_id), record.digest if record.features else 0,
                       index, number))
    for fault in filter(None, (record.fault, "" if record.video_id or record.fault
                               else "has no id")):
      self.num_faults[fault] += 1
      if self.num_faults[fault] <= _SHOWN:
        self.faults.setdefault(fault, []).append(place)
    self.levels[record.level] += 1
    for name, values in record.features.items():
      self.features[fields.printable(name, _LONGEST_NAME)].add(values)
    counts = {values.num_frames for values in record.features.values()
              if values.num_frames}
    if record.level != feature_spec.VIDEO:
      self.lengths[min(counts, default=0)] += 1
    self.num_uneven += len(counts) > 1
    if record.labels is not None:
      self.labels.update(set(record.labels))
      self.num_labels[len(set(record.labels))] += 1
      self.num_repeated += len(set(record.labels)) < len(record.labels)
    self.ratings.update(record.ratings)

  def finish(self) -> None:
    """Completes the statistics, after the last record."""
    for feature in self.features.values():
      feature.finish()
    self._table = np.frombuffer(self._rows, np.uint64).reshape(-1, 4)

  @property
  def level(self) -> str:
    """Level of most records."""
    return self.levels.most_common(1)[0][0] if self.levels else ""

  @property
  def largest_label(self) -> int:
    """Largest class number; -1 without labels."""
    return max((*self.labels, *self.ratings), default=-1)

  def same_ids(self, other: "Inspection | None" = None) -> list[tuple[str, str]]:
    """Returns pairs of records with one id: within this set, or with another one."""
    return self._pairs(0, other)

  def same_features(self, other: "Inspection | None" = None) -> list[tuple[str, str]]:
    """Returns pairs of records with equal features but different ids."""
    return self._pairs(1, other, but_not=0)

  def _pairs(self, column, other, but_not=None):
    rows, others = self._table, self._table if other is None else other._table
    first: dict[int, int] = {}
    for position, value in enumerate(rows[:, column].tolist()):
      if value != _NO_ID:
        first.setdefault(value, position)
    pairs = []
    for position, value in enumerate(others[:, column].tolist()):
      found = first.get(value)
      if found is None or (other is None and found == position):
        continue
      if but_not is None or rows[found, but_not] != others[position, but_not]:
        pairs.append((self._place(rows[found]), (other or self)._place(others[position])))
    return pairs

  def _place(self, row: np.ndarray) -> str:
    return f"{self.files[int(row[2])]}, record {int(row[3])}"

  def id_of(self, place: str) -> str:
    """Returns the id of a record that a pair names, as printable text."""
    path, _, number = place.rpartition(", record ")
    dataset = records.read([path], num_readers=1, skip_corrupt_records=True)
    for serialized, *_ in dataset.skip(int(number)).take(1).as_numpy_iterator():
      return video_ids.as_text(contents.of_record(serialized).video_id or b"?")
    return "?"


def _digest(video_id: bytes) -> int:
  if not video_id:
    return _NO_ID
  digest = hashlib.blake2b(video_id, digest_size=8).digest()
  return int.from_bytes(digest, "little") or 1

