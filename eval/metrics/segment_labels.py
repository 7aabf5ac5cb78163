# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The ratings of segments, read from records or from a cache of them."""

import math
import os
import re
from collections.abc import Iterator

import tensorflow as tf
from absl import logging

from yt8m.core import csv_files
from yt8m.core import files
from yt8m.core import paths
from yt8m.core import text_lines
from yt8m.core import video_ids
from yt8m.data import diagnosis
from yt8m.data import records

# Class → segment id (`video_id:start`) → score.
RatedSegments = dict[int, dict[str, float]]

_RATINGS = "segment_labels, segment_start_times, segment_scores"
# A line of a cache: segment, class, score.
_LINE = re.compile(rf"(.+:[0-9]{{1,9}}),([0-9]{{1,9}}),({csv_files.NUMBER})")


def load_rated_segments(pattern: str, cache: str | os.PathLike | None = None,
                        skip_corrupt_records: bool = False,
                        skip_bad_records: bool = False) -> RatedSegments:
  """Returns the ratings from `cache` if it exists; otherwise reads and caches them.

  Args:
    pattern: Comma-separated globs of the records.
    cache: Path of the cache; None for none.
    skip_corrupt_records: Whether to leave a damaged file at its first bad record.
    skip_bad_records: Whether to leave out records whose ratings cannot be used.

  Raises:
    ValueError: Neither is given, or as `read_rated_segments` and `read_cache`.
    OSError: The cache cannot be written (`files.atomic_write`).
  """
  if cache and tf.io.gfile.exists(cache):
    logging.info("Reading the ratings from %s, not from records.", cache)
    return read_cache(cache)
  if not pattern:
    raise ValueError("No ratings: give --eval_data_pattern, or a --label_cache that "
                     "exists.")
  rated_segments = read_rated_segments(
      pattern, skip_corrupt_records, skip_bad_records)
  if cache:
    with files.atomic_write(cache) as file:
      for class_id, scores in rated_segments.items():
        file.writelines(f"{segment_id},{class_id},{score}\n"
                        for segment_id, score in scores.items())
  return rated_segments


def read_rated_segments(pattern: str, skip_corrupt_records: bool = False,
                        skip_bad_records: bool = False) -> RatedSegments:
  """Reads the ratings from segment-labelled records, ignoring their features.

  Of several ratings of one segment for one class, the last counts.

  Args:
    pattern: Comma-separated globs of the records.
    skip_corrupt_records: Whether to leave a damaged file at its first bad record.
    skip_bad_records: Whether to leave out records whose ratings cannot be used.

  Raises:
    ValueError: No file matches, a record is damaged or its ratings cannot be used (names
      file and record), or no record has any.
  """
  record_files = paths.match(pattern, "--eval_data_pattern")
  incidents = records.Incidents()
  dataset = records.read(
      record_files, skip_corrupt_records=skip_corrupt_records, incidents=incidents)
  rated_segments, num_records = {}, 0
  with records.clear_errors():
    for record, file_index, number in dataset.as_numpy_iterator():
      num_records += 1
      fault = diagnosis.examine(record, diagnosis.explain_ratings)
      if fault:
        name = f"{record_files[file_index]}, record {number}"
        if not skip_bad_records:
          raise records.RecordError(f"{name} {fault.text}")
        incidents.add(*fault.left_out(name))
        continue
      for segment_id, class_id, score in _ratings(record):
        rated_segments.setdefault(class_id, {})[segment_id] = score
  incidents.log_summary(incidents.new_counts())
  if not rated_segments:
    raise ValueError(
        f"None of the {num_records} records of --eval_data_pattern={pattern} has rated "
        f"segments ({_RATINGS}).")
  return rated_segments


def _ratings(record: bytes) -> Iterator[tuple[str, int, float]]:
  """Yields (segment id, class, score) of one serialized record without faults."""
  context = tf.train.SequenceExample.FromString(record).context.feature
  ids = context["id"].bytes_list.value or context["video_id"].bytes_list.value
  starts, classes, scores = (
      getattr(context[key], kind).value for key, kind in diagnosis.RATINGS.items())
  for class_id, start, score in zip(classes, starts, scores, strict=True):
    yield f"{video_ids.as_text(ids[0])}:{start}", class_id, score


def read_cache(path: str | os.PathLike) -> RatedSegments:
  """Reads a cache that `load_rated_segments` or the starter code wrote.

  Raises:
    ValueError: A line is not `id:start,class,score` (names file and line).
  """
  rated_segments = {}
  for number, line in text_lines.read(path):
    match = _LINE.fullmatch(line.rstrip())
    if not match or float(match[3]) == math.inf:
      raise ValueError(
          f"{path}, line {number}: expected id:start,class,score, got {line[:80]!r}. "
          "Delete the file to have it written again.")
    segment_id, class_id, score = match.groups()
    rated_segments.setdefault(
        int(class_id), {})[video_ids.as_text(segment_id)] = float(score)
  return rated_segments
