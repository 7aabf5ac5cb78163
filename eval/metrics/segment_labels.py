# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The ratings of segments, read from records or from a cache of them."""

import os
from collections.abc import Iterator

import tensorflow as tf
from absl import logging
from google.protobuf import message

from yt8m.core import files
from yt8m.core import text_lines
from yt8m.core import video_ids
from yt8m.data import records

# Class → segment id (`video_id:start`) → score.
RatedSegments = dict[int, dict[str, float]]

_RATINGS = "segment_labels, segment_start_times, segment_scores"


def load_rated_segments(pattern: str, cache: str | os.PathLike = "",
                        skip_corrupt_records: bool = False) -> RatedSegments:
  """Returns the ratings from `cache` if it exists; otherwise reads and caches them.

  Args:
    pattern: Comma-separated globs of the records.
    cache: Path of the cache; empty for none.
    skip_corrupt_records: Whether to leave a damaged file at its first bad record.

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
  rated_segments = read_rated_segments(pattern, skip_corrupt_records)
  if cache:
    with files.atomic_write(cache) as file:
      for class_id, scores in rated_segments.items():
        file.writelines(f"{segment_id},{class_id},{score}\n"
                        for segment_id, score in scores.items())
  return rated_segments


def read_rated_segments(pattern: str, skip_corrupt_records: bool = False,
                        ) -> RatedSegments:
  """Reads the ratings from segment-labelled records, ignoring their features.

  Of several ratings of one segment for one class, the last counts.

  Args:
    pattern: Comma-separated globs of the records.
    skip_corrupt_records: Whether to leave a damaged file at its first bad record.

  Raises:
    ValueError: No file matches, a record is damaged or its ratings are incomplete
      (names file and record), or no record has any.
  """
  paths = records.match_files(pattern, "--eval_data_pattern")
  dataset = records.read(paths, skip_corrupt_records=skip_corrupt_records)
  rated_segments, num_records = {}, 0
  with records.clear_errors():
    for record, file_index, number in dataset.as_numpy_iterator():
      num_records += 1
      where = f"{paths[file_index]}, record {number}"
      for segment_id, class_id, score in _ratings(record, where):
        rated_segments.setdefault(class_id, {})[segment_id] = score
  if not rated_segments:
    raise ValueError(
        f"None of the {num_records} records of --eval_data_pattern={pattern} has rated "
        f"segments ({_RATINGS}).")
  return rated_segments


def _ratings(record: bytes, where: str) -> Iterator[tuple[str, int, float]]:
  """Yields (segment id, class, score) of one serialized record."""
  try:
    context = tf.train.SequenceExample.FromString(record).context.feature
  except message.DecodeError as error:
    raise ValueError(f"{where} is not a tf.train.SequenceExample.") from error
  ids = context["id"].bytes_list.value or context["video_id"].bytes_list.value
  classes = context["segment_labels"].int64_list.value
  starts = context["segment_start_times"].int64_list.value
  scores = context["segment_scores"].float_list.value
  if not len(classes) == len(starts) == len(scores):
    raise ValueError(
        f"{where}: the lengths of {_RATINGS} must be equal, but are {len(classes)}, "
        f"{len(starts)} and {len(scores)}.")
  if classes and not ids:
    raise ValueError(f"{where} has ratings but neither id nor video_id.")
  for class_id, start, score in zip(classes, starts, scores, strict=True):
    yield f"{video_ids.as_text(ids[0])}:{start}", class_id, score


def read_cache(path: str | os.PathLike) -> RatedSegments:
  """Reads a cache that `load_rated_segments` or the starter code wrote.

  Raises:
    ValueError: A line is not `id:start,class,score` (names file and line).
  """
  rated_segments = {}
  for number, line in text_lines.read(path):
    try:
      segment_id, class_id, score = line.rstrip().rsplit(",", 2)
      rated_segments.setdefault(int(class_id), {})[segment_id] = float(score)
    except ValueError as error:
      raise ValueError(
          f"{path}, line {number}: expected id:start,class,score, got {line[:80]!r}. "
          "Delete the file to have it written again.") from error
  return rated_segments
