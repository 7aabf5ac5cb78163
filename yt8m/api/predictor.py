# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained model, wherever it comes from, as a function from videos to scores."""

import dataclasses
import os
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from yt8m.api import datasets
from yt8m.artifacts import saved_model
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.core import types
from yt8m.core.vocabulary import Vocabulary
from yt8m.data import records
from yt8m.eval.predictions import by_length
from yt8m.export.prediction import checkpoint as checkpoints


class TopClasses(NamedTuple):
  """The best classes of each video, in descending order of their scores.

  Attributes:
    ids: Numbers of the classes, (num_videos, k) int.
    names: Their names, (num_videos, k) str; "class 17" if the model has no vocabulary.
    scores: Their scores, (num_videos, k) float32.
  """
  ids: np.ndarray
  names: np.ndarray
  scores: np.ndarray


@dataclasses.dataclass(frozen=True)
class Signature:
  """What a predictor reads and returns.

  Attributes:
    features: Size of each feature by name.
    level: "video" or "frame".
    max_frames: Number of frames of a video that count; 1 for video-level features.
    num_classes: Number of classes, C.
  """
  features: dict[str, int]
  level: str
  max_frames: int
  num_classes: int


class Predictor:
  """Scores videos by a checkpoint, a SavedModel or an ensemble; made by `yt8m.load`.

  Args:
    source: Checkpoint or SavedModel.

  Attributes:
    signature: `Signature` of what is read and returned.
    source: The checkpoint or SavedModel.
    reader: Reader of the records that it scores.
    names: Names of the classes, (num_classes,) str.
  """

  def __init__(self, source: checkpoints.Checkpoint | saved_model.SavedModel):
    self.source, self.reader = source, source.reader()
    self._score = source.predictor()
    vocabulary = source.vocabulary or Vocabulary.of({}, source.num_classes)
    self.names = np.array(vocabulary.names)
    spec = source.spec
    self.signature = Signature(
        dict(zip(spec.names, spec.sizes, strict=True)), spec.level,
        getattr(self.reader, "max_frames", 1), source.num_classes)

  @property
  def num_classes(self) -> int:
    return self.signature.num_classes

  def __call__(self, batch: types.Batch) -> types.Scores:
    """Returns the scores of a batch of a reader, (batch_size, num_classes)."""
    return self._score(batch)

  def predict(self, videos: Any, batch_size: int = datasets.BATCH_SIZE) -> np.ndarray:
    """Scores videos. All scores are kept in memory: 15 kB for 3,862 classes.

    Args:
      videos: One of these:
        * a dataset of `yt8m.datasets` or of a reader, or one batch of it;
        * the path of a TFRecord file, or comma-separated globs;
        * serialized records, a list of bytes;
        * features by name: (num_videos, num_frames, size), at video level (num_videos,
          size). Videos of different length are a list of arrays (num_frames, size).
      batch_size: Number of videos that are scored together. Frame-level videos of
        similar length are, out of four batches.

    Returns:
      Scores in [0, 1], (num_videos, num_classes) float32.

    Raises:
      ValueError: A record or an array is not as `signature` says.
    """
    if batch_size < 1:
      raise ValueError(f"batch_size={batch_size} must be at least 1.")
    with records.clear_errors(self.reader.explain):
      parts = list(self._scores(self._batches(videos, batch_size), batch_size))
    scores = np.concatenate([np.zeros((0, self.num_classes), np.float32), *parts])
    if np.isnan(scores).any():
      raise ValueError(f"The scores of video {np.isnan(scores).any(axis=1).argmax()} are "
                       "no numbers: its features hold NaN or infinity.")
    return scores

  def top_k(self, videos: Any, k: int = 20) -> TopClasses:
    """Returns the best k classes of each video.

    Args:
      videos: Videos, as those of `predict`, or its result.
      k: Number of classes.

    Raises:
      ValueError: There are fewer classes, the scores are those of other classes, or a
        video is not as `signature` says.
    """
    if not (isinstance(k, int) and 1 <= k <= self.num_classes):
      raise ValueError(f"k={k} must be a whole number from 1 to {self.num_classes}, the "
                       "number of classes.")
    scores = videos if isinstance(videos, np.ndarray) else self.predict(videos)
    if scores.ndim != 2 or scores.shape[1] != self.num_classes:
      raise ValueError(f"The scores have the shape {scores.shape}, but must be "
                       f"(num_videos, {self.num_classes}), as `predict` returns them.")
    best, ids = tf.math.top_k(scores, k)
    return TopClasses(ids.numpy(), self.names[ids.numpy()], best.numpy())

  def _scores(self, batches, batch_size):
    """Returns an iterator over the scores of the batches."""
    if not by_length.applies(self.source.spec, self.source.allow_code):
      return map(self._score, batches)
    scored = by_length.in_windows(self._score, batches, batch_size)
    return (scores for _, scores in scored)

  def _batches(self, videos: Any, batch_size: int) -> Iterable[types.Batch]:
    if isinstance(videos, tf.data.Dataset):
      return map(datasets.as_batch, videos)
    if isinstance(videos, (str, os.PathLike)):
      # One file after the other, so that the scores are in the order of the records.
      return self.reader.dataset(os.fspath(videos), batch_size, num_readers=1)
    if isinstance(videos, Mapping) and "features" in videos:
      videos = _without_padding(videos)
    if isinstance(videos, Mapping):
      return self._of_features(videos, batch_size)
    if isinstance(videos, Sequence) and all(isinstance(v, bytes) for v in videos):
      return map(self.reader.parse_batch,
                 tf.data.Dataset.from_tensor_slices(list(videos)).batch(batch_size))
    raise ValueError(f"Videos cannot be a {type(videos).__name__}: give a dataset, a "
                     "path of records, a list of serialized records, or features.")

  def _of_features(self, videos, batch_size):
    """Yields batches of features by name, with short videos padded."""
    sizes, frames = self.signature.features, self.signature.level != feature_spec.VIDEO
    if missing := sizes.keys() - videos.keys():
      raise ValueError(f"The feature {sorted(missing)[0]!r} is missing: this model reads "
                       f"{sizes}.")
    # Floats of any type become those of the spec; 8-bit numbers must be bytes.
    dtypes = {name: None if dtype == feature_spec.UINT8 else dtype
              for name, dtype in self.reader.dtypes.items()}
    columns = {name: [np.asarray(x, dtypes[name]) for x in videos[name]]
               for name in sizes}
    num_videos = {name: len(column) for name, column in columns.items()}
    if len(set(num_videos.values())) > 1:
      raise ValueError(f"The features differ in their number of videos: {num_videos}.")
    for name, column in columns.items():
      for number, x in enumerate(column):
        if x.ndim != 1 + frames or x.shape[-1] != sizes[name] or not len(x):
          raise ValueError(
              f"The feature {name!r} of video {number} has the shape {x.shape}: this "
              f"model reads {'(num_frames, ' if frames else '('}{sizes[name]}).")
        if dtypes[name] is None and x.dtype != np.uint8:
          raise ValueError(
              f"The feature {name!r} of video {number} is {x.dtype}, but this model "
              "reads 8-bit numbers: convert the values of the records to uint8.")
    [total] = set(num_videos.values())
    for start in range(0, total, batch_size):
      part = {name: column[start:start + batch_size] for name, column in columns.items()}
      yield _padded(part, self.signature.max_frames) if frames else {
          "features": {name: tf.constant(np.stack(xs)) for name, xs in part.items()},
          "num_frames": tf.ones([len(next(iter(part.values())))], tf.int32)}


def _without_padding(batch: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the features of a batch of a reader, each video with its own frames."""
  if "num_frames" not in batch:
    return batch["features"]
  return {name: [x[:frames] if np.ndim(x) > 1 else x for x, frames in zip(
      np.asarray(xs), np.asarray(batch["num_frames"]), strict=True)]
          for name, xs in batch["features"].items()}


def _padded(columns: dict[str, list[np.ndarray]], max_frames: int) -> types.Batch:
  """Returns a batch of videos of different length; the shortest feature counts."""
  lengths = np.minimum(max_frames, np.min(
      [[len(x) for x in column] for column in columns.values()], axis=0))
  features = {}
  for name, column in columns.items():
    padded = np.zeros((len(column), max(lengths), column[0].shape[1]), column[0].dtype)
    for row, x, length in zip(padded, column, lengths, strict=True):
      row[:length] = x[:length]
    features[name] = tf.constant(padded)
  return {"features": features, "num_frames": tf.constant(lengths, tf.int32)}


def load(path: types.PathLike, *, allow_code: Sequence[str] = ()) -> Predictor:
  """Loads a trained model to score videos.

  Nothing that is read can run code: see docs/security.md.

  Args:
    path: Training directory of `yt8m-train`, whose newest good checkpoint is used;
      SavedModel of `yt8m-export` or `yt8m-ensemble export`; or a directory of versions of
      a SavedModel, of which the newest is used.
    allow_code: Modules from which the model may use classes of your own.

  Raises:
    FileNotFoundError: There is no model in the directory.
    ValueError: The model is damaged, or one that is refused.
  """
  path = os.path.expanduser(os.fspath(path))
  with registry.allow_code(allow_code):
    return Predictor(_source(path))


def _source(path: str) -> checkpoints.Checkpoint | saved_model.SavedModel:
  if tf.io.gfile.exists(os.path.join(path, saved_model.GRAPH)):
    return saved_model.SavedModel(path)
  if tf.io.gfile.exists(os.path.join(path, experiment.CONFIG)):
    return checkpoints.Checkpoint.of_directory(path)
  versions = [name.rstrip("/") for name in
              (tf.io.gfile.listdir(path) if tf.io.gfile.isdir(path) else [])]
  versions = [name for name in versions if name.isdecimal()]
  if versions:
    return saved_model.SavedModel(os.path.join(path, max(versions, key=int)))
  raise FileNotFoundError(
      f"{path} holds no model: name a training directory of yt8m-train ("
      f"{experiment.CONFIG}) or a SavedModel of yt8m-export ({saved_model.GRAPH}).")
