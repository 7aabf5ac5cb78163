# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of a server in JSON files: the answers of the signature `serving_default`.

A file has one object per line, as batch prediction writes them, or answers of the REST
predict API, either one per line or one that fills the file:

    {"video_id": "DiRU", "class_indexes": [2210, 2837], "predictions": [0.80, 0.79]}
    {"predictions": [{"video_id": …}, …]}                                  row form
    {"outputs": {"video_id": ["DiRU", …], "class_indexes": […], …}}        column form

Frame-level models put each value into a list of one, and an id may be `{"b64": …}`.
"""

import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import progress
from yt8m.core import text_lines
from yt8m.core import video_ids
from yt8m.core.types import PathLike
from yt8m.export.serving import json_arrays
from yt8m.export.submissions import videos

KEYS = ("video_id", "class_indexes", "predictions")

# Text of the id, classes and scores of one video.
Prediction = tuple[str, list[int], list[float]]


def convert(paths: Sequence[PathLike], output_file: PathLike,
            overwrite: bool = False, job: Mapping[str, Any] | None = None) -> int:
  """Writes the predictions of files, in their order, as a submission CSV.

  Args:
    paths: Paths of the JSON files.
    output_file: Path of the CSV.
    overwrite, job: See `videos.AtomicOutput`.

  Returns:
    The number of videos.

  Raises:
    ValueError: A value is not a prediction, a video is repeated (the message names file
      and line), or there are no predictions.
    OSError: The CSV exists, or cannot be written.
  """
  total_bytes = sum(tf.io.gfile.stat(path).length for path in paths)
  seen, done = set(), 0
  with (_JsonSubmissionWriter(output_file, overwrite, job) as writer,
        progress.Periodic(10.0, total_bytes, "bytes") as report):
    for path in paths:
      for line, num_bytes, predictions in read(path):
        for video_id, classes, scores in predictions:
          if video_id in seen:
            raise ValueError(f"{path}, line {line}: video {video_id!r} comes for the "
                             "second time, but a submission has each video once. Leave "
                             "out one of its files or lines.")
          seen.add(video_id)
          writer.write([video_id], [classes], [scores])
        done += num_bytes
        report(done, f"{len(seen)} videos", videos=len(seen))
    if not seen:
      raise ValueError(f"No prediction in {', '.join(map(str, paths))}.")
  return len(seen)


class _JsonSubmissionWriter(videos.SubmissionWriter):
  """A submission whose scores have the format `%f`, as in the starter code's script."""

  def write(self, ids, classes, scores):
    for video_id, *pairs in zip(ids, classes, scores, strict=True):
      text = " ".join(map("%i %f".__mod__, zip(*pairs, strict=True)))
      self._file.write(f"{video_id},{text}\n")


def read(path: PathLike) -> Iterator[tuple[int, int, list[Prediction]]]:
  """Reads a file of predictions.

  Yields:
    For each JSON value: the number of its first line, counted from 1; its size in bytes;
    and its predictions, as `parse` returns them.

  Raises:
    ValueError: A value is not JSON or not a prediction. The message names file and line.
    FileNotFoundError: There is no file at `path`.
  """
  with files.open_to_read(path, "rb") as file:
    is_first = True
    lines = text_lines.raw_lines(file)
    for line, text in enumerate(lines, start=1):
      if is_first:
        text_lines.check_kind(path, text)
      if not text.strip():
        continue
      if is_first and not _is_json(text):
        text += lines.read()  # the first line begins a value that fills the file
      is_first = False
      try:
        predictions = [parse(prediction) for prediction in _unpack(_loads(text))]
      except (ValueError, RecursionError) as error:  # RecursionError: deeply nested lists
        # The parser counts lines from the beginning of the value.
        line += getattr(error, "lineno", 1) - 1
        raise ValueError(
            f"{path}, line {line}: {getattr(error, 'msg', error)}.") from error
      yield line, len(text), predictions


def parse(prediction: Any) -> Prediction:
  """Checks the prediction of one video.

  Args:
    prediction: JSON object with the keys `KEYS`.

  Returns:
    Text of the id (`yt8m.core.video_ids`), classes and scores of the video.

  Raises:
    ValueError: An entry is missing or has the wrong type, classes and scores differ in
      number, a score is not finite, or there is no id.
  """
  values = _values(prediction)
  if isinstance(values[0], list):  # a frame-level model
    if any(not isinstance(value, list) or len(value) != 1 for value in values):
      raise ValueError(
          f"expected lists of one video, got {json_arrays.short(prediction)}")
    values = [value[0] for value in values]
  video_id, classes, scores = values
  if json_arrays.is_b64(video_id):
    video_id = json_arrays.decode_b64(video_id)
  elif isinstance(video_id, str):  # which may hold half a character of UTF-16
    video_id = video_id.encode("utf-8", "surrogatepass")
  if not isinstance(video_id, bytes) or not video_id:
    raise ValueError(f"the video_id {json_arrays.short(values[0])} cannot be written to "
                     "a CSV: it must be a text, or {\"b64\": …}, and not empty")
  video_id = video_ids.as_text(video_id)
  name = repr(video_id if len(video_id) <= 80 else f"{video_id[:80]}…")
  if not isinstance(classes, list) or any(
      type(c) is not int or not 0 <= c < 2**31 for c in classes):
    raise ValueError(f"the class_indexes of {name} must be a list of whole "
                     f"numbers, are {json_arrays.short(classes)}")
  if not isinstance(scores, list) or not all(map(fields.NUMBER.accepts, scores)):
    raise ValueError(f"the predictions of {name} must be a list of finite "
                     f"numbers, are {json_arrays.short(scores)}")
  if len(classes) != len(scores):
    raise ValueError(f"{name} has {len(classes)} class_indexes, but "
                     f"{len(scores)} predictions")
  return video_id, classes, scores


def _is_json(text: bytes) -> bool:
  try:
    _loads(text)
  except (ValueError, RecursionError):
    return False
  return True


def _loads(text: bytes) -> Any:
  """Returns the JSON value of UTF-8 text, which may begin with a byte order mark."""
  try:
    return json.loads(text.decode("utf-8-sig"))
  except UnicodeDecodeError as error:
    raise ValueError(f"it is not UTF-8 ({error}): save the file as UTF-8") from error


def _unpack(value: Any) -> list:
  """Returns the predictions in a JSON value: itself, or those of a REST answer."""
  if not isinstance(value, dict) or "video_id" in value:
    return [value]
  if "error" in value:
    raise ValueError(
        f"the server answered with an error, {json_arrays.short(value['error'])}")
  if "outputs" not in value:
    rows = value.get("predictions")
    return rows if isinstance(rows, list) else [value]
  columns = _values(value["outputs"])
  lengths = [len(column) if isinstance(column, list) else "none" for column in columns]
  if len(set(lengths)) > 1 or "none" in lengths:
    raise ValueError(f"the outputs {', '.join(KEYS)} must be lists of one length, have "
                     f"{', '.join(map(str, lengths))}")
  return [dict(zip(KEYS, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(prediction: Any) -> list:
  """Returns the values of the `KEYS`."""
  if not isinstance(prediction, dict) or not prediction.keys() >= set(KEYS):
    raise ValueError(f"expected an object with {', '.join(KEYS)}, got "
                     f"{json_arrays.short(prediction)}")
  return [prediction[key] for key in KEYS]
