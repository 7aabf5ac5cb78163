# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions with the names of the classes, for people: JSON lines and a CSV.

    json        {"id": "DiRU", "predictions": [
                    {"class": 3, "name": "Car", "score": 0.8}, …]}    in one line
    csv_named   VideoId,Name 1,Score 1,Name 2,Score 2,…
                DiRU,Car,0.8,"Toys ""R"" Us",0.75,…
    decisions   id,labels
                DiRU,"Car;Toys ""R"" Us"

The last one has only the names of the classes that reach their thresholds, for some
videos none, as yt8m-extract reads labels. The best class comes first. Different classes
have different names (`Vocabulary`), so a name leads back to its class. A score has the
digits that its float32 needs.
"""

import contextlib
import csv
import json
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import IO
from typing import Any

import numpy as np

from yt8m.core import files
from yt8m.core import video_ids
from yt8m.core.types import PathLike
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.submissions import videos

DECISIONS = "decisions"
# Class, name and score of a prediction.
_Prediction = tuple[int, str, float]


class _NamedWriter(videos.AtomicOutput):
  """Base class of the outputs with names.

  Args:
    path, overwrite, job: See `videos.AtomicOutput`.
    names: Names of the classes.
  """
  _file: IO[str]

  def __init__(self, path: PathLike, overwrite: bool = False,
               job: Mapping[str, Any] | None = None, *, names: Vocabulary):
    super().__init__(path, overwrite, job)
    self._names = names.names

  @contextlib.contextmanager
  def _opened(self):
    with files.atomic_write(
        self._path, before_rename=self._before_rename) as self._file:
      yield

  def _rows(self, ids: Sequence[str | bytes] | np.ndarray, classes: Any, scores: Any
            ) -> Iterator[tuple[str, list[_Prediction]]]:
    """Yields the text of the id and the predictions of each video."""
    classes, scores = np.asarray(classes), np.asarray(scores, np.float32)
    if classes.shape != scores.shape or len(ids) != len(scores):
      raise ValueError(f"{len(ids)} ids, classes {classes.shape} and scores "
                       f"{scores.shape} do not belong together.")
    for video_id, row, values in zip(ids, classes.tolist(), scores, strict=True):
      # The shortest decimal number that is this float32.
      yield video_ids.as_text(video_id), [
          (index, self._names[index], float(str(value)))
          for index, value in zip(row, values, strict=True)]


class JsonWriter(_NamedWriter):
  """Writes one JSON object a line."""

  def write(self, ids, classes, scores):
    for video_id, predictions in self._rows(ids, classes, scores):
      content = {"id": video_id, "predictions": [
          {"class": index, "name": name, "score": score}
          for index, name, score in predictions]}
      self._file.write(json.dumps(content, ensure_ascii=False) + "\n")


class NamedCsvWriter(_NamedWriter):
  """Writes names and scores in the columns of a CSV."""
  _has_header = False

  def write(self, ids, classes, scores):
    writer = csv.writer(self._file, lineterminator="\n")
    if not self._has_header and len(ids):
      writer.writerow(["VideoId", *(
          f"{title} {rank}" for rank in range(1, np.shape(classes)[1] + 1)
          for title in ("Name", "Score"))])
      self._has_header = True
    for video_id, predictions in self._rows(ids, classes, scores):
      writer.writerow([video_id, *(
          cell for _, name, score in predictions for cell in (name, score))])


class DecisionsWriter(_NamedWriter):
  """Writes the names of the classes of each video, without scores."""
  _has_header = False

  def write(self, ids, classes, scores):
    writer = csv.writer(self._file, lineterminator="\n")
    if not self._has_header:
      writer.writerow(["id", "labels"])
      self._has_header = True
    for video_id, predictions in self._rows(ids, classes, scores):
      # A semicolon separates names.
      writer.writerow([video_id, ";".join(
          name.replace(";", ",") for _, name, _ in predictions)])


WRITERS: Mapping[str, Callable[..., _NamedWriter]] = {
    "json": JsonWriter, "csv_named": NamedCsvWriter,
    DECISIONS: DecisionsWriter}
