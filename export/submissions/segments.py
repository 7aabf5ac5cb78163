# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The submission CSV of the segment task: the most likely segments of every class.

    Class,Segments
    1651,PzYl:35 PzYl:0 KWgb:10

A segment is named `video_id:start`, its start in seconds.
"""

import numpy as np

from yt8m.core import files
from yt8m.export.submissions import videos

HEADER = "Class,Segments"


class SegmentSubmissionWriter(videos.CsvWriter):
  """Collects the best segments of every class and writes them when the block ends.

  Every segment stands for its best classes; a class keeps its `segment_max_pred` best
  segments, which also bounds the memory. Best first; of equal scores the segment written
  first. Classes in the order in which they first appear. Source: YouTube-8M starter
  code, `inference.py --segment_labels`.

  >>> with SegmentSubmissionWriter("segments.csv") as writer:
  ...   for segment_ids, classes, scores in batches:
  ...     writer.write(segment_ids, classes, scores)

  Args:
    path: the CSV.
    segment_max_pred: segments a class.
    overwrite: replaces an existing file, which is an error otherwise.

  Raises:
    OSError: as `videos.CsvWriter`.
  """

  def __init__(self, path, segment_max_pred=100_000, overwrite=False):
    super().__init__(path, HEADER, overwrite)
    if segment_max_pred < 1:
      raise ValueError(f"--segment_max_pred={segment_max_pred} must be at least 1.")
    self._best = _BestSegments(segment_max_pred)

  def write(self, segment_ids, classes, scores):
    """Takes in one batch.

    Args:
      segment_ids: n strings or byte strings `video_id:start`.
      classes, scores: (n, k), the best classes of each (`top_classes.TopClasses`).

    Raises:
      ValueError: ids and scores differ in count.
    """
    if len(segment_ids) != len(scores):
      raise ValueError(f"{len(segment_ids)} ids for {len(scores)} predictions.")
    self._best.add([videos.as_text(i) for i in segment_ids], classes, scores)

  def _open(self, stack):
    super()._open(stack)
    stack.push(self._write_lines)

  def _write_lines(self, exc_type, *_):
    if exc_type is None:
      for class_id, segment_ids in self._best.by_class():
        self._file.write(f"{class_id},{' '.join(segment_ids)}\n")


class _BestSegments:
  """The best `capacity` segments of every class seen so far.

  Entries (class, score, segment) are appended as they come and now and then sorted
  and cut: at most as many wait as are kept, or `_MIN_WAITING`. Sorting is stable, so
  that entries stay in the order of their arrival where their scores are equal.
  """

  _MIN_WAITING = 2**21

  def __init__(self, capacity):
    self._capacity = capacity
    self._first_seen = {}  # used as an ordered set of classes
    self._segment_ids = []
    self._entries = (np.empty(0, np.int32), np.empty(0, np.float32),
                     np.empty(0, np.int32))  # classes, scores, rows of _segment_ids
    self._waiting = []
    self._num_waiting = 0

  def add(self, segment_ids, classes, scores):
    """Takes in `batch_size` ids and their `(batch_size, top_k)` classes and scores."""
    self._first_seen.update(dict.fromkeys(classes.ravel().tolist()))
    first_row = len(self._segment_ids)
    self._segment_ids.extend(segment_ids)
    rows = np.arange(first_row, len(self._segment_ids), dtype=np.int32)
    self._waiting.append((classes.ravel().astype(np.int32),
                          scores.ravel().astype(np.float32),
                          np.repeat(rows, classes.shape[1])))
    self._num_waiting += classes.size
    if self._num_waiting > max(len(self._entries[0]), self._MIN_WAITING):
      self._cut()

  def by_class(self):
    """Yields every class with the list of its segments, best first."""
    self._cut()
    classes, _, rows = self._entries
    seen = np.array(list(self._first_seen), dtype=classes.dtype)
    starts = np.searchsorted(classes, seen, side="left")
    stops = np.searchsorted(classes, seen, side="right")
    for class_id, start, stop in zip(seen, starts, stops, strict=True):
      yield class_id, [self._segment_ids[row] for row in rows[start:stop]]

  def _cut(self):
    classes, scores, rows = (
        np.concatenate(parts)
        for parts in zip(self._entries, *self._waiting, strict=True))
    order = np.lexsort((-scores, classes))
    rank = _index_in_run(classes[order])
    kept = order[rank < self._capacity]
    self._entries = classes[kept], scores[kept], self._forget_all_but(rows[kept])
    self._waiting, self._num_waiting = [], 0

  def _forget_all_but(self, rows):
    """Drops the ids of all segments but `rows`; returns where these are then."""
    ids = np.array(self._segment_ids, dtype=object)
    used = np.zeros(len(ids), dtype=bool)
    used[rows] = True
    self._segment_ids = ids[used].tolist()
    return (np.cumsum(used, dtype=np.int32) - 1)[rows]


def _index_in_run(values):
  """Returns the position of every element in its run of equal elements, from 0."""
  starts = np.flatnonzero(np.diff(values, prepend=-1))
  lengths = np.diff(starts, append=len(values))
  return np.arange(len(values)) - np.repeat(starts, lengths)


def read_class_ids(path, num_classes):
  """Returns the classes of the segment task as a sorted array.

  Args:
    path: a text file, one class a line, such as the `segment_label_ids.csv` of the
      YouTube-8M starter code; lines that are not numbers (a header) are skipped.
    num_classes: of the model.

  Raises:
    ValueError: the file has no class, or one that the model has not.
  """
  with files.open_to_read(path) as file:
    lines = [line.strip() for line in file]
  class_ids = np.array(sorted({int(line) for line in lines if line.isdecimal()}))
  if not class_ids.size:
    raise ValueError(f"{path}: no class in any of its {len(lines)} lines; expected one "
                     "number a line (--segment_label_ids_file).")
  if class_ids[-1] >= num_classes:
    raise ValueError(f"{path}: class {class_ids[-1]}, but the model has only "
                     f"{num_classes} classes (--segment_label_ids_file).")
  return class_ids


def read_segment_submission(path):
  """Yields every class with the list of its segments, line by line.

  The header may be missing: the starter code's evaluation wants it removed.

  Raises:
    ValueError: a line is not `class,id:start id:start …` (names file and line).
  """
  with files.open_to_read(path) as file:
    for number, line in enumerate(file, start=1):
      class_id, comma, segment_ids = line.strip().partition(",")
      if number == 1 and line.strip() == HEADER:
        continue
      if not comma or not class_id.isdecimal():
        raise ValueError(f"{path}, line {number}: expected class,id:start id:start …, "
                         f"got {line[:80]!r}")
      yield int(class_id), segment_ids.split()
