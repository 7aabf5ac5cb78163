# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions that a server gave as JSON: what `serving_default` answers, in files.

One object a line, as batch prediction writes them, or answers of the REST predict API,
one a line or one that fills the file:

    {"video_id": "DiRU", "class_indexes": [2210, 2837], "predictions": [0.80, 0.79]}
    {"predictions": [{"video_id": …}, …]}                                  row form
    {"outputs": {"video_id": ["DiRU", …], "class_indexes": […], …}}        column form

Frame-level models put a list of one around each value, and an id may be `{"b64": …}`.
"""

import base64
import json
import math

import tensorflow as tf
from absl import logging

from yt8m.core import files
from yt8m.core import progress
from yt8m.export.submissions import videos

KEYS = ("video_id", "class_indexes", "predictions")


def convert(paths, output_file, overwrite=False):
  """Writes the predictions of files, in their order, as a CSV, whole or not at all.

  Args:
    paths: JSON files.
    output_file, overwrite: see `videos.CsvWriter`.

  Returns:
    The number of videos.

  Raises:
    ValueError: something is no prediction, or a video comes twice (names file and
      line), or there is no prediction.
    OSError: the output exists, or cannot be written.
  """
  total_bytes = sum(tf.io.gfile.stat(path).length for path in paths)
  report = progress.Periodic(10.0, progress.Progress(total_bytes, "bytes"))
  seen, done = set(), 0
  with _JsonSubmissionWriter(output_file, videos.HEADER, overwrite) as writer:
    for path in paths:
      for line, num_bytes, predictions in read(path):
        for video_id, classes, scores in predictions:
          if video_id in seen:
            raise ValueError(f"{path}, line {line}: video {video_id!r} comes for the "
                             "second time, and a submission has each once. Leave one "
                             "of its files or lines out.")
          seen.add(video_id)
          writer.write(video_id, classes, scores)
        done += num_bytes
        for text in report(done):
          logging.info("%d videos | %s", len(seen), text)
    if not seen:
      raise ValueError(f"No prediction in {', '.join(paths)}.")
  return len(seen)


class _JsonSubmissionWriter(videos.CsvWriter):
  """A submission with scores as the starter code's script writes them, with `%f`."""

  def write(self, video_id, classes, scores):
    pairs = " ".join(map("%i %f".__mod__, zip(classes, scores, strict=True)))
    self._file.write(f"{video_id},{pairs}\n")


def read(path):
  """Reads a file.

  Yields:
    For each value in it the line where it begins, from 1; its bytes; and a list of
    `(video_id, class_indexes, predictions)`, as `parse` returns them.

  Raises:
    ValueError: something is not JSON, or no prediction; names file and line.
    FileNotFoundError: there is no such file.
  """
  with files.open_to_read(path, "rb") as file:
    alone = True
    for line, text in enumerate(file, start=1):
      if not text.strip():
        continue
      if alone and not _is_json(text):
        text += file.read()  # the first line begins a value that fills the file
      alone = False
      try:
        predictions = [parse(prediction) for prediction in _unpack(json.loads(text))]
      except (ValueError, RecursionError) as error:  # that of deeply nested lists
        # The parser counts lines from where the value begins.
        line += getattr(error, "lineno", 1) - 1
        raise ValueError(
            f"{path}, line {line}: {getattr(error, 'msg', error)}.") from error
      yield line, len(text), predictions


def parse(prediction):
  """Checks the prediction of one video.

  Args:
    prediction: object with the `KEYS`.

  Returns:
    Id, classes and scores: a string, a list of whole numbers, and one of numbers.

  Raises:
    ValueError: an entry is missing or of another kind, classes and scores differ in
      count, a score is not finite, or the id cannot stand in a CSV.
  """
  values = _values(prediction)
  if isinstance(values[0], list):  # of a frame-level model
    if any(not isinstance(value, list) or len(value) != 1 for value in values):
      raise ValueError(f"expected lists of one video, got {_shown(prediction)}")
    values = [value[0] for value in values]
  video_id, classes, scores = values
  if isinstance(video_id, dict) and isinstance(video_id.get("b64"), str):
    video_id = base64.b64decode(video_id["b64"], validate=True).decode("utf-8")
  if not isinstance(video_id, str) or not video_id or set(video_id) & set(",\r\n"):
    raise ValueError(f"the video_id {_shown(video_id)} cannot stand in a CSV")
  if not isinstance(classes, list) or any(type(c) is not int or c < 0 for c in classes):
    raise ValueError(f"the class_indexes of {video_id!r} must be a list of whole "
                     f"numbers, are {_shown(classes)}")
  if not isinstance(scores, list) or any(
      type(score) not in (int, float) or not math.isfinite(score) for score in scores):
    raise ValueError(f"the predictions of {video_id!r} must be a list of finite "
                     f"numbers, are {_shown(scores)}")
  if len(classes) != len(scores):
    raise ValueError(f"{video_id!r} has {len(classes)} class_indexes, but "
                     f"{len(scores)} predictions")
  return video_id, classes, scores


def _is_json(text):
  try:
    json.loads(text)
  except (ValueError, RecursionError):
    return False
  return True


def _unpack(value):
  """The objects of one JSON value: itself, or those in an answer of the REST API."""
  if not isinstance(value, dict) or "video_id" in value:
    return [value]
  if "error" in value:
    raise ValueError(f"the server answered with an error, {_shown(value['error'])}")
  if "outputs" not in value:
    rows = value.get("predictions")
    return rows if isinstance(rows, list) else [value]
  columns = _values(value["outputs"])
  lengths = [len(column) if isinstance(column, list) else "none" for column in columns]
  if len(set(lengths)) > 1 or "none" in lengths:
    raise ValueError(f"the outputs {', '.join(KEYS)} must be lists of one length, have "
                     f"{', '.join(map(str, lengths))}")
  return [dict(zip(KEYS, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(entries):
  """The values of the `KEYS`."""
  if not isinstance(entries, dict) or not entries.keys() >= set(KEYS):
    raise ValueError(f"expected an object with {', '.join(KEYS)}, got {_shown(entries)}")
  return [entries[key] for key in KEYS]


def _shown(value):
  return json.dumps(value)[:80]
