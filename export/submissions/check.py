# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether a submission CSV is as Kaggle wants it, and complete.

Of videos: every id of the records once and no other; in a line at most k classes, each
once and below C, their scores in [0, 1] and best first. Of segments: every class once
and one of the task; in a line at most so many segments, each once, of a video of the
records, starting at a multiple of five seconds.
"""

import dataclasses
import itertools

import numpy as np
from absl import logging

from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core import progress
from yt8m.export.submissions import segments
from yt8m.export.submissions import videos

SHOWN = 20  # errors


@dataclasses.dataclass
class Report:
  """What was found.

  Attributes:
    lines: of predictions in the file.
    pairs: of an id and a class in them.
    errors: the first `SHOWN`, with the numbers of their lines.
    num_errors: of all.
  """
  lines: int = 0
  pairs: int = 0
  errors: list = dataclasses.field(default_factory=list)
  num_errors: int = 0

  def add(self, error):
    self.num_errors += 1
    if self.num_errors <= SHOWN:
      self.errors.append(error)


def check(path, top_k=20, segment_max_pred=100_000, classes=None, ids=None):
  """Checks a submission CSV of videos or of segments, as its header says.

  Args:
    path: the CSV.
    top_k: classes of a video, at most.
    segment_max_pred: segments of a class, at most.
    classes: those there are, a container; None allows all from 0.
    ids: the videos there are, a set of strings; None allows all.

  Returns:
    A `Report`.
  """
  report = Report()
  with files.open_to_read(path) as file:
    header = file.readline().rstrip("\r\n")
    line_check, max_pairs = {
        videos.HEADER: (_check_video, top_k),
        segments.HEADER: (_check_class, segment_max_pred),
    }.get(header, (None, None))
    if not line_check:
      report.add(f"line 1: the header must be {videos.HEADER}, or of segments "
                 f"{segments.HEADER}, is {header[:80]!r}")
      return report
    first_lines = {}
    log = progress.Periodic(10.0, progress.Progress(unit="lines"))
    for number, line in enumerate(file, start=2):
      key, comma, text = line.rstrip("\r\n").partition(",")
      words = text.split()
      first = first_lines.setdefault(key, number)
      faults = [f"{key!r} is there already, in line {first}"] if first < number else []
      if not (comma and key):
        faults = [f"expected {header}, got {line[:80]!r}"]
      for fault in itertools.chain(
          faults, line_check(key, words, max_pairs, classes, ids)):
        report.add(f"line {number}: {fault}")
      report.lines += 1
      report.pairs += len(words) // (2 if line_check is _check_video else 1)
      for rate in log(report.lines):
        logging.info("%s: %d lines | %s", path, report.lines, rate)
  if line_check is _check_video and ids is not None:
    missing = sorted(ids - first_lines.keys())
    if missing:
      report.add(f"{len(missing)} of {len(ids)} videos are missing: "
                 f"{', '.join(missing[:3])}{', …' if len(missing) > 3 else ''}")
  return report


def _check_video(video_id, words, max_pairs, classes, ids):
  """Yields what is wrong with the line `id,class score class score …`."""
  if ids is not None and video_id not in ids:
    yield f"the records have no video {video_id!r}"
  try:
    found = np.array(words[0::2], np.int64)
    scores = np.array(words[1::2], np.float64)
  except (ValueError, OverflowError):
    found = scores = None
  if found is None or len(found) != len(scores):
    yield f"expected class score class score …, got {' '.join(words)[:80]!r}"
    return
  if len(found) > max_pairs:
    yield f"{len(found)} classes, {max_pairs} at most are allowed"
  yield from _repeated(found.tolist(), "class")
  for class_id in found.tolist():
    if not _is_class(class_id, classes):
      yield f"there is no class {class_id}"
  bad = ~((scores >= 0) & (scores <= 1))  # or not a number
  if bad.any():
    yield f"the score {scores[bad][0]:g} is not from 0 to 1"
  elif (np.diff(scores) > 0).any():
    yield "the scores do not descend"


def _check_class(class_id, words, max_pairs, classes, ids):
  """Yields what is wrong with the line `class,id:start id:start …`."""
  if not (class_id.isdecimal() and _is_class(int(class_id), classes)):
    yield f"there is no class {class_id}"
  if len(words) > max_pairs:
    yield f"{len(words)} segments, {max_pairs} at most are allowed"
  yield from _repeated(words, "segment")
  for word in words:
    video_id, colon, start = word.rpartition(":")
    if not colon or not start.isdecimal() or int(start) % feature_spec.SEGMENT_FRAMES:
      yield (f"{word!r} is no segment id:start, the start a multiple of "
             f"{feature_spec.SEGMENT_FRAMES}")
    elif ids is not None and video_id not in ids:
      yield f"the records have no video {video_id!r}"


def _is_class(class_id, classes):
  return class_id >= 0 if classes is None else class_id in classes


def _repeated(values, what):
  if len(set(values)) < len(values):
    seen = set()
    twice = next(v for v in values if v in seen or seen.add(v))
    yield f"{what} {twice} is there twice"
