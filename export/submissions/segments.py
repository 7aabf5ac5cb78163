# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The submission CSV of the segment task: the most likely segments of every class.

    Class,Segments
    1651,PzYl:35 PzYl:0 KWgb:10

A segment is named `video_id:start`, where start is in seconds, and the id is written as
`yt8m.core.video_ids` says.
"""

import contextlib
import re
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import numpy as np

from yt8m.core import csv_files
from yt8m.core import video_ids
from yt8m.core.types import PathLike
from yt8m.export.submissions import videos

HEADER = "Class,Segments"


class SegmentSubmissionWriter(videos.CsvWriter):
  """Collects the best segments of every class and writes them when the block ends.

  Each segment counts for its best k classes, and each class keeps its `segment_max_pred`
  best segments, which also bounds the memory. Segments are written best first; of equal
  scores the one received first comes first. Classes appear in the order in which they
  were first received. Reference: YouTube-8M starter code, `inference.py
  --segment_labels`.

  >>> import os, tempfile
  >>> import numpy as np
  >>> from yt8m.export.submissions import segments
  >>> path = os.path.join(tempfile.mkdtemp(), "segments.csv")
  >>> with segments.SegmentSubmissionWriter(path) as writer:
  ...   writer.write(["PzYl:0", "PzYl:35"], np.array([[7], [7]]), np.array([[.5], [.8]]))
  >>> list(segments.read_segment_submission(path))
  [(7, ['PzYl:35', 'PzYl:0'])]

  Args:
    path: Path of the CSV.
    segment_max_pred: Largest number of segments per class.
    overwrite, job: See `videos.AtomicOutput`.

  Raises:
    ValueError: `segment_max_pred` is below 1.
    OSError: See `videos.AtomicOutput`.
  """

  _header = HEADER

  def __init__(self, path: PathLike, segment_max_pred: int = 100_000,
               overwrite: bool = False, job: Mapping[str, Any] | None = None):
    super().__init__(path, overwrite, job)
    if segment_max_pred < 1:
      raise ValueError(f"--segment_max_pred={segment_max_pred} must be at least 1.")
    self._best = _BestSegments(segment_max_pred)

  def write(self, ids, classes, scores):
    if len(ids) != len(scores):
      raise ValueError(f"{len(ids)} ids for {len(scores)} predictions.")
    self._best.add([video_ids.as_text(i) for i in ids], classes, scores)

  @contextlib.contextmanager
  def _opened(self):
    with super()._opened():
      yield
      for class_id, segment_ids in self._best.by_class():
        self._file.write(f"{class_id},{' '.join(segment_ids)}\n")


class _BestSegments:
  """The best `capacity` segments of every class received so far.

  Entries (class, score, segment) are appended as they arrive. From time to time they are
  sorted and cut, so that at most as many wait as are kept, or `_MIN_WAITING`. The sort is
  stable: entries of equal score stay in their order of arrival.
  """

  _MIN_WAITING = 2**21

  def __init__(self, capacity: int):
    self._capacity = capacity
    self._first_seen: dict[int, None] = {}  # used as an ordered set of classes
    self._segment_ids: list[str] = []
    self._entries = (np.empty(0, np.int32), np.empty(0, np.float32),
                     np.empty(0, np.int32))  # classes, scores, rows of _segment_ids
    self._waiting = []
    self._num_waiting = 0

  def add(self, segment_ids: list[str], classes: np.ndarray, scores: np.ndarray) -> None:
    """Adds n segments, with classes and scores of the shape (n, k)."""
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

  def by_class(self) -> Iterator[tuple[int, list[str]]]:
    """Yields every class and its segments, best first."""
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
    """Drops the ids of all other segments; returns the new positions of `rows`."""
    ids = np.array(self._segment_ids, dtype=object)
    used = np.zeros(len(ids), dtype=bool)
    used[rows] = True
    self._segment_ids = ids[used].tolist()
    return (np.cumsum(used, dtype=np.int32) - 1)[rows]


def _index_in_run(values):
  """Returns the position of each element in its run of equal elements, from 0."""
  starts = np.flatnonzero(np.diff(values, prepend=-1))
  lengths = np.diff(starts, append=len(values))
  return np.arange(len(values)) - np.repeat(starts, lengths)


def read_class_ids(path: PathLike, num_classes: int) -> tuple[int, ...]:
  """Returns the classes of the segment task in ascending order.

  Args:
    path: Path of a CSV with one class per line, such as `segment_label_ids.csv` of the
      YouTube-8M starter code. The first line that is not empty may be a header; if it
      has a column `Index`, as `vocabulary.csv` has, there may be other columns.
    num_classes: Number of classes of the model.

  Raises:
    ValueError: A line is not a class, the model does not have it, or the file lists no
      class (`--segment_label_ids_file`).
  """
  lines = [line for line in csv_files.read(path) if any(map(str.strip, line.cells))]
  num_lines, num_columns, column = len(lines), 1, 0
  if lines and not re.match(r"\s*[-+.\d]", lines[0].cells[0]):
    header = [cell.strip() for cell in lines.pop(0).cells]
    if "Index" in header:
      num_columns, column = len(header), header.index("Index")
  class_ids = set()
  for line in lines:
    # As many cells as columns, so that 1,7 for 17 is not read as 1.
    cells = (line.first(num_columns) or [])[column:]
    class_id = csv_files.whole_number(cells[0]) if cells else None
    if class_id is None:
      raise ValueError(f"{path}, line {line.number}: expected the number of one class, "
                       f"got {line.text[:80]!r} (--segment_label_ids_file).")
    if class_id >= num_classes:
      raise ValueError(f"{path}: class {class_id}, but the model has only {num_classes} "
                       "classes (--segment_label_ids_file).")
    class_ids.add(class_id)
  if not class_ids:
    raise ValueError(f"{path}: no class in any of its {num_lines} lines; expected one "
                     "number per line (--segment_label_ids_file).")
  return tuple(sorted(class_ids))


def read_segment_submission(path: PathLike) -> Iterator[tuple[int, list[str]]]:
  """Yields every class and its segments, line by line.

  The header may be missing: the starter code's evaluation requires that it is removed.

  Raises:
    FileNotFoundError: There is no file at `path`.
    ValueError: A line is not `class,id:start id:start …`, or was cut off, or repeats a
      class. The message names file and line.
  """
  header, first_lines = HEADER.split(","), {}
  for line in csv_files.read(path):
    cells = line.first(2)
    if line.number == 1 and cells == header:
      continue
    class_id = csv_files.whole_number(cells[0]) if cells else None
    words = cells[1].split() if cells else []
    if class_id is None or not all(map(_is_segment, words)):
      raise ValueError(f"{path}, line {line.number}: expected class,id:start id:start …, "
                       f"got {line.text[:80]!r}")
    first = first_lines.setdefault(class_id, line.number)
    if first < line.number:
      raise ValueError(f"{path}, line {line.number}: class {class_id} is there already, "
                       f"in line {first}. Leave one of them out.")
    yield class_id, words


def _is_segment(word: str) -> bool:
  video_id, _, start = word.rpartition(":")
  return bool(video_id) and start.isascii() and start.isdecimal()
