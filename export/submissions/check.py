# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks whether a submission CSV is complete and in the form that Kaggle accepts.

Videos: the file has every id of the records once and no other id. A line has at most k
classes, each once and each below C; their scores lie in [0, 1] and descend. Segments: the
file has every class once, and only classes of the task. A line has at most
`segment_max_pred` segments, each once; each belongs to a video of the records and starts
at a multiple of five seconds. A file that a spreadsheet has saved is read as it was
meant, but what it changed is an error.
"""

import dataclasses
import re
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from collections.abc import Set

import numpy as np
from absl import logging

from yt8m.core import csv_files
from yt8m.core import feature_spec
from yt8m.core import progress
from yt8m.core import text_lines
from yt8m.core import video_ids
from yt8m.core.types import PathLike
from yt8m.export.submissions import segments
from yt8m.export.submissions import videos

MAX_ERRORS = 20

# What a spreadsheet makes of an id such as 1E23.
_NUMBER = re.compile(r"\d([.,]\d+)?E\+\d+")
_CLASS, _SCORE = r"(?!-0)-?[0-9]+", rf"-?(?:{csv_files.NUMBER}|inf|nan)"
_PAIRS = re.compile(rf"(?:{_CLASS} {_SCORE}(?: {_CLASS} {_SCORE})*)?")
_START = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclasses.dataclass
class Report:
  """The result of a check.

  Attributes:
    lines: Number of lines with predictions.
    pairs: Number of pairs of an id and a class in them.
    errors: The first `MAX_ERRORS` errors, with their line numbers.
    num_errors: Number of all errors.
  """
  lines: int = 0
  pairs: int = 0
  errors: list[str] = dataclasses.field(default_factory=list)
  num_errors: int = 0

  def add(self, error: str) -> None:
    self.num_errors += 1
    if self.num_errors <= MAX_ERRORS:
      self.errors.append(error if len(error) <= 300 else f"{error[:300]}…")


def check(path: PathLike, top_k: int = 20, segment_max_pred: int = 100_000,
          classes: Collection[int] | None = None,
          ids: Set[str] | None = None) -> Report:
  """Checks a submission CSV of videos or of segments, depending on its header.

  Args:
    path: Path of the CSV.
    top_k: Largest number of classes per video.
    segment_max_pred: Largest number of segments per class.
    classes: Allowed classes; None allows every class from 0.
    ids: Texts of the allowed ids of videos (`yt8m.core.video_ids`); None allows every
      id.

  Raises:
    FileNotFoundError: There is no file at `path`.
    ValueError: The file is not a text file.
  """
  report = Report()

  def add_fault(fault: text_lines.Fault) -> None:
    report.add(f"line {fault.line}: {fault.text}")

  lines = csv_files.read(path, add_fault)
  first_line = next(lines, csv_files.Line(1, "", []))
  header = ",".join(first_line.cells)
  if header not in (videos.HEADER, segments.HEADER):
    report.add(f"line 1: the header must be {videos.HEADER}, or for segments "
               f"{segments.HEADER}, is {first_line.text[:80]!r}")
    return report
  of_videos = header == videos.HEADER
  line_check, max_pairs = (
      (_check_video, top_k) if of_videos else (_check_class, segment_max_pred))
  first_lines = {}
  log = progress.Periodic(10.0, unit="lines")
  for line in lines:
    key, cells = line.cells[0], line.cells
    first = first_lines.setdefault(key, line.number)
    if not key or len(cells) != 2:
      report.add(f"line {line.number}: expected {header}, got {line.text[:80]!r}")
      continue
    if first < line.number:
      report.add(f"line {line.number}: {key!r} is there already, in line {first}")
    words = cells[1].split(" ") if cells[1] else []
    if "" in words:
      report.add(f"line {line.number}: there must be one space between two entries, and "
                 f"none at the ends, got {cells[1][:80]!r}")
      words = [word for word in words if word]
    for error in line_check(key, words, max_pairs, classes, ids):
      report.add(f"line {line.number}: {error}")
    report.lines += 1
    report.pairs += len(words) // (2 if of_videos else 1)
    log(report.lines, f"{path}: {report.lines} lines", lines=report.lines)
  log.close()
  if of_videos and ids is not None and (missing := sorted(ids - first_lines.keys())):
    report.add(f"{len(missing)} of {len(ids)} videos are missing: {_some(missing)}")
  if not of_videos and classes is not None:
    # Not an error: a class that is among the best k of no segment has no line.
    none = [class_id for class_id in sorted(classes) if str(class_id) not in first_lines]
    if none:
      logging.warning("%s: %d of %d classes have no line: %s.", path, len(none),
                      len(classes), _some(none))
  return report


def _check_video(video_id: str, words: list[str], max_pairs: int,
                 classes: Collection[int] | None, ids: Set[str] | None) -> Iterator[str]:
  """Yields the errors of the line `id,class score class score …`."""
  yield from _check_id(video_id, ids)
  text = " ".join(words)
  try:
    if not _PAIRS.fullmatch(text):
      raise ValueError  # as of a number that is too large
    class_ids = np.array(words[0::2], np.int64)
    scores = np.array(words[1::2], np.float64)
  except (ValueError, OverflowError):
    yield f"expected class score class score …, got {text[:80]!r}"
    return
  if len(class_ids) > max_pairs:
    yield f"{len(class_ids)} classes, at most {max_pairs} are allowed"
  yield from _repeated(class_ids.tolist(), "class")
  for class_id in class_ids.tolist():
    if not _is_class(class_id, classes):
      yield f"there is no class {class_id}"
  bad = ~((scores >= 0) & (scores <= 1)) | np.signbit(scores)  # includes NaN
  if bad.any():
    yield f"the score {scores[bad][0]:g} is not from 0 to 1"
  elif (np.diff(scores) > 0).any():
    yield "the scores do not descend"


def _check_class(class_id: str, words: list[str], max_pairs: int,
                 classes: Collection[int] | None, ids: Set[str] | None) -> Iterator[str]:
  """Yields the errors of the line `class,id:start id:start …`."""
  number = csv_files.whole_number(class_id)
  shown = class_id if class_id.isprintable() else repr(class_id)
  if number is None or not _is_class(number, classes):
    yield f"there is no class {shown}"
  elif str(number) != class_id:
    yield f"class {shown} must be written {number}"
  if len(words) > max_pairs:
    yield f"{len(words)} segments, at most {max_pairs} are allowed"
  yield from _repeated(words, "segment")
  for word in words:
    video_id, colon, start = word.rpartition(":")
    if (not (colon and _START.fullmatch(start))
        or int(start) % feature_spec.SEGMENT_FRAMES):
      yield (f"{word!r} is not id:start with a start that is a multiple of "
             f"{feature_spec.SEGMENT_FRAMES}")
    else:
      yield from _check_id(video_id, ids)


def _check_id(video_id: str, ids: Set[str] | None) -> Iterator[str]:
  """Yields the error of an id that is not among the allowed ones."""
  if ids is not None and video_id in ids:
    return
  text = video_ids.as_text(video_id)
  if _NUMBER.fullmatch(video_id):
    yield (f"the id {video_id!r} is a number that a spreadsheet has made of it: use the "
           "file as it was before")
  elif ids is not None:
    remedy = f": write it as {text}" if text != video_id and text in ids else ""
    yield f"the records have no video {video_id!r}{remedy}"
  elif text != video_id:
    yield f"the id {video_id!r} must be written as {text}"


def _some(names: Sequence) -> str:
  return ", ".join(map(str, names[:3])) + (", …" if len(names) > 3 else "")


def _is_class(class_id: int, classes: Collection[int] | None) -> bool:
  return class_id >= 0 if classes is None else class_id in classes


def _repeated(values: list, kind: str) -> Iterator[str]:
  if len(set(values)) < len(values):
    yield f"{kind} {next(v for v in values if values.count(v) > 1)} is there twice"
