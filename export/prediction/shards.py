# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts one file of records: the work that is shared out, whoever shares it out.

A *shard* is one file of records. Batches never cross from one to the next, so that the
scores of a shard are the same bits in whatever order, thread, process or machine of the
same kind the shards are predicted.
"""

import dataclasses
import functools
import threading
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from yt8m.core import files
from yt8m.data import records
from yt8m.export.prediction import model_source
from yt8m.export.prediction import predictions
from yt8m.export.prediction import top_classes


class Predictions(NamedTuple):
  """The best k classes of n videos, or segments.

  Attributes:
    ids: (n,) bytes; of segments `video:start`.
    classes: (n, k) int32, best first.
    scores: (n, k) float32.
    num_videos: videos; fewer than n where there are segments.
  """
  ids: np.ndarray
  classes: np.ndarray
  scores: np.ndarray
  num_videos: int


@dataclasses.dataclass(frozen=True)
class Job:
  """What is done with every shard; a plain value, which another process can be sent.

  Attributes:
    source: `model_source.Checkpoint` or `model_source.SavedModel`.
    top_k: classes kept a video.
    batch_size: videos, or segments, at a time.
    segments: predicts the five-frame segments of every video.
    class_ids: classes to choose from, ascending; None stands for all.
    skip_corrupt_records: leaves a damaged file at its first bad record.
  """
  source: model_source.Checkpoint | model_source.SavedModel
  top_k: int = 20
  batch_size: int = 512
  segments: bool = False
  class_ids: tuple[int, ...] | None = None
  skip_corrupt_records: bool = False

  def settings(self):
    """What the predictions depend on beside model and records, for JSON."""
    settings = dataclasses.asdict(self)
    del settings["source"]
    return {**settings, "hparams": self.source.hparams}

  def check(self):
    """Refuses, before a model is loaded, what cannot be.

    Raises:
      ValueError: `top_k` is out of range.
    """
    self._top_classes()

  def _top_classes(self):
    return top_classes.TopClasses(self.source.num_classes, self.top_k, self.class_ids)


def predict(job, path, advance=lambda num_videos: None):
  """Predicts one shard.

  Model and reader are loaded once a process, at the first call.

  Args:
    job: a `Job`.
    path: the file of records.
    advance: called after every batch with the number of its videos.

  Returns:
    `Predictions`.

  Raises:
    RecordError: a record, or the whole file, cannot be read.
    ValueError: a score is not a number.
  """
  model, read, best = load(job)
  batches = _readable(path, read)
  if job.segments:
    scored = predictions.of_segments(model, batches, job.batch_size)
  else:
    scored = predictions.of_videos(model, batches)
  # Of a file without records.
  ids, total = [np.zeros(0, "S1")], 0
  classes, scores = ([np.zeros((0, best.top_k), dtype)] for dtype in ("int32", "float32"))
  for batch_ids, batch_scores, num_videos in scored:
    try:
      batch_classes, batch_scores = best(batch_scores)
    except ValueError as error:
      raise ValueError(f"{path}: {error}") from error
    ids.append(batch_ids.astype(np.bytes_))
    classes.append(batch_classes)
    scores.append(batch_scores)
    total += num_videos
    advance(num_videos)
  return Predictions(*map(np.concatenate, (ids, classes, scores)), total)


def load(job):
  """Loads what `predict` needs, once a process; threads that come later wait."""
  with _LOADING:
    return _load(job)


_LOADING = threading.Lock()


@functools.lru_cache(maxsize=1)
def _load(job):
  predict_all, reader = job.source.load()
  turn = threading.Lock()

  def model(batch):
    # One batch at a time has all cores, and alone takes the memory of its activations.
    with turn:
      return predict_all(batch)

  read = reader.file_reader(job.batch_size, job.skip_corrupt_records)
  return model, read, job._top_classes()


def _readable(path, read):
  """Yields the batches of a file; whatever is wrong with it is a `RecordError`."""
  try:
    # A file that cannot be opened tf.data would try to open for ever.
    with files.open_to_read(path, "rb") as file:
      file.read(1)
    with records.clear_errors():
      yield from read(path)
  except (OSError, tf.errors.OpError) as error:
    raise records.RecordError(f"{path} cannot be read: {error}") from error
