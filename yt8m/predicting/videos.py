# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The videos of media files and record files, with their features and scores."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from yt8m.api import predictor as predictors
from yt8m.core import feature_spec
from yt8m.core import video_ids
from yt8m.data import records
from yt8m.extracting import decoder
from yt8m.extracting import features
from yt8m.extracting import streams
from yt8m.extractors import base
from yt8m.extractors import making
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


class MediaReader:
  """Turns media files into the features that a model was trained on.

  Args:
    spec: Features of the model.
    max_frames: Number of frames of a video that the model reads.
    extractor: Name of the extractor; "" for that of the model.
    weights_dir: Path of the directory with its files of weights, if it needs some.
    missing: What becomes of a file without pictures or sound; one of
      `features.MISSING`.

  Attributes:
    fps: Number of frames a second.

  Raises:
    ValueError: The extractor is not known, or makes other features than the model reads.
  """

  def __init__(self, spec: feature_spec.FeatureSpec, max_frames: int,
               extractor: str = "", weights_dir: str = "",
               missing: str = features.FAIL):
    if spec.is_video_level:
      raise ValueError("This model reads video-level features, and media files give "
                       "frames: name records, or a model of frames.")
    if not (extractor or spec.extractor):
      raise ValueError(
          "The model does not say which extractor made its features, because its records "
          "are not of yt8m-extract: name it with --extractor.")
    name, self.fps = (base.parse_identity(spec.extractor) if spec.extractor
                      else (extractor, 1.0))
    self._extractor = making.make_extractor(extractor or name, weights_dir)
    made = feature_spec.FeatureSpec(
        self._extractor.modalities,
        [self._extractor.sizes[m] for m in self._extractor.modalities], spec.level,
        [self._extractor.dtypes[m] for m in self._extractor.modalities],
        extractor=self._extractor.identity(self.fps))
    spec.check_extractor(made, "these media files")
    for feature in zip(spec.names, spec.sizes, spec.dtypes, strict=True):
      if feature not in zip(made.names, made.sizes, made.dtypes, strict=True):
        raise ValueError(
            f"The model reads the feature {feature[0]} of {feature[1]} {feature[2]} "
            f"numbers, which the extractor {self._extractor} does not make: name another "
            "--extractor.")
    self._sampling = features.Sampling(self.fps, max_frames, missing)

  def read(self, paths: Sequence[str], decoders: streams.Decoders) -> Iterator[Video]:
    """Yields the features of media files, or what is wrong with them."""
    decoding = decoders.decode(
        self._sampling.request(self._extractor, path) for path in paths)
    for path, stream in zip(paths, decoding, strict=True):
      try:
        yield Video(path, features=features.extract(
            self._extractor, stream, self._sampling))
      except decoder.DecodingFailed as error:
        yield Video(path, error=str(error))


def of_media(predictor: predictors.Predictor, reader: MediaReader, paths: Sequence[str],
             decoders: streams.Decoders) -> Iterator[Video]:
  """Yields media files with their scores, or what is wrong with them."""
  for video in reader.read(paths, decoders):
    if video.error:
      yield video
      continue
    scores = predictor.predict({
        name: video.features[name][None] for name in predictor.signature.features})
    yield dataclasses.replace(video, scores=scores[0])


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
