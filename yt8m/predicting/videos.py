# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The videos of media files and record files, with their features and scores."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from yt8m.api import predictor as predictors
from yt8m.core import video_ids
from yt8m.data import records
from yt8m.extracting import decoder
from yt8m.extracting import model_features
from yt8m.extracting import streams
from yt8m.predicting import inputs

_BATCH_SIZE = 64


@dataclasses.dataclass(frozen=True)
class Video:
  """A video that was scored, or a file that could not be.

  Attributes:
    path: Path of the file.
    id: Id of a record; "" for a media file.
    features: Features by name, (num_frames, size); (size,) at video level.
    scores: Scores of the classes, (num_classes,); None if there is an error.
    error: What is wrong with the file; "" if nothing.
  """
  path: str
  id: str = ""
  features: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
  scores: np.ndarray | None = None
  error: str = ""

  @property
  def name(self) -> str:
    return f"{self.path} {self.id}" if self.id else self.path


def of_media(predictor: predictors.Predictor, reader: model_features.ModelFeatures,
             paths: Sequence[str], decoders: streams.Decoders) -> Iterator[Video]:
  """Yields media files with their scores, or what is wrong with them."""
  decoding = decoders.decode(map(reader.request, paths))
  for path, stream in zip(paths, decoding, strict=True):
    try:
      found = reader.extract(stream)
    except decoder.DecodingFailed as error:
      yield Video(path, error=str(error))
      continue
    [scores] = predictor.predict({name: x[np.newaxis] for name, x in found.items()})
    yield Video(path, features=found, scores=scores)


def of_records(predictor: predictors.Predictor, path: str) -> Iterator[Video]:
  """Yields the records of a file with their scores.

  Raises:
    ValueError: A record is damaged, or not one that the model reads.
  """
  reader = predictor.reader
  reader.check_features([path], path)
  with records.clear_errors(reader.explain, [path]):
    for batch in reader.dataset(path, _BATCH_SIZE, num_readers=1):
      lengths = batch["num_frames"].numpy() if "num_frames" in batch else None
      for row, (video_id, scores) in enumerate(zip(
          batch["id"].numpy(), predictor(batch).numpy(), strict=True)):
        values = {name: value[row].numpy() for name, value in batch["features"].items()}
        if lengths is not None and not predictor.source.spec.is_video_level:
          values = {name: value[:lengths[row]] for name, value in values.items()}
        yield Video(path, video_ids.as_text(video_id), values, scores)


def split(paths: Sequence[str]) -> tuple[list[str], list[str]]:
  """Returns the record files and the media files among paths."""
  of_records = [path for path in paths if inputs.is_record_file(path)]
  return of_records, [path for path in paths if path not in set(of_records)]
