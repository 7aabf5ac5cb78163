# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts one record file: the work that runners share out among workers.

A *record file* is an input file; its *part* holds the predictions that are kept of it.
Batches never cross from one record file to the next, so the scores of a file are the
same bits in whatever order, thread, process or machine of the same kind it is predicted.

The videos of a few batches are predicted in the order of their lengths, so that short
videos do not pay for the padding of long ones (`by_length`).
"""

import dataclasses
import functools
import threading
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.artifacts import saved_model
from yt8m.core import video_ids
from yt8m.core.types import Batch
from yt8m.core.types import Scores
from yt8m.data import reader_base
from yt8m.data import records
from yt8m.data import segment_reader
from yt8m.eval.metrics import streaming
from yt8m.eval.predictions import by_length
from yt8m.export.prediction import checkpoint
from yt8m.models import prediction

# A model; the two classes have the same properties and methods.
Source = checkpoint.Checkpoint | saved_model.SavedModel
# Arrays by name, with one row for each prediction.
Part = dict[str, np.ndarray]
# Function from ids, scores and labels of a batch to the rows of a part.
Reducer = Callable[[np.ndarray, Scores, Any], Part]
# Function that is called with numbers of videos as they are predicted.
Advance = Callable[[int], None]


@dataclasses.dataclass(frozen=True)
class Job:
  """A model and what is kept of its predictions. It can be sent to another process.

  Attributes:
    source: Model.
    top_k: Number of classes kept of a video.
    batch_size: Number of videos, or of segments, that are predicted at a time.
    segments: Whether the five-frame segments of every video are predicted.
    class_ids: Classes to choose from, ascending; None means all.
    skip_corrupt_records: Whether a damaged file is read up to its first bad record.
    skip_bad_records: Whether records that can be read but not used are left out.
  """
  source: Source
  top_k: int = 20
  batch_size: int = 512
  segments: bool = False
  class_ids: tuple[int, ...] | None = None
  skip_corrupt_records: bool = False
  skip_bad_records: bool = False

  def settings(self) -> dict[str, Any]:
    """Returns what the predictions depend on besides model and records, for JSON."""
    settings = dataclasses.asdict(self)
    del settings["source"]
    return {**settings, "hparams": self.source.hparams}

  def reducer(self) -> Reducer:
    """Returns the function that keeps the best classes of a batch.

    Its rows are `ids`, (n,) bytes, of segments `video:start`; `classes`, (n, k) int32,
    best first; and `scores`, (n, k) float32.

    Raises:
      ValueError: `top_k` is out of range.
    """
    best = TopClasses(self.source.num_classes, self.top_k, self.class_ids)

    def reduce(ids: np.ndarray, scores: Scores, labels: Any) -> Part:
      classes, best_scores = best(scores)
      return {"ids": video_ids.as_bytes(ids), "classes": classes, "scores": best_scores}

    return reduce


def predict(job: Job, record_file: str, advance: Advance = lambda num_videos: None
            ) -> Part:
  """Predicts one record file.

  The model and its reader are loaded once in each process, at the first call.

  Args:
    job: Model and settings.
    record_file: Path of the file.
    advance: Function that is called after every batch with its number of videos.

  Returns:
    The part of the file: the rows of `job.reducer()`.

  Raises:
    RecordError: A record, or the whole file, cannot be read.
    ValueError: A score is not a number, or not what the job can keep.
  """
  model, reader, read, reduce = load(job)
  batches = _read(record_file, reader, read)
  if job.segments:
    scored = _scored_segments(model, _segments(batches, job.batch_size), advance)
  else:
    scored = _scored(model, batches, job, advance)
  rows = []
  for batch, scores in scored:
    try:
      rows.append(reduce(batch["id"].numpy(), scores, batch["labels"]))
    except ValueError as error:
      raise ValueError(f"{record_file}: {error} The model is {job.source}.") from error
  if not rows:
    none = tf.zeros([0, job.source.num_classes])
    rows = [reduce(np.zeros(0, np.bytes_), none, none > 0)]
  return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def load(job: Job) -> tuple[Callable[[Batch], Scores], reader_base.Reader, Callable,
                            Reducer]:
  """Loads what `predict` needs, once in each process; other threads wait for it."""
  with _LOADING:
    return _load(job)


def incidents(job: Job) -> dict[str, int]:
  """Returns what this process met in records since the last call, by kind."""
  return load(job)[1].incidents.new_counts()


def unload() -> None:
  """Frees the model that this process has loaded."""
  with _LOADING:
    _load.cache_clear()


_LOADING = threading.Lock()


@functools.lru_cache(maxsize=1)
def _load(job):
  predict_all = job.source.predictor(job.batch_size)
  turn = threading.Lock()

  def model(batch):
    # One batch at a time uses all cores, and only its activations take memory.
    with turn:
      return predict_all(batch)

  reader = job.source.reader()
  read = reader.file_reader(
      job.batch_size, job.skip_corrupt_records, job.skip_bad_records)
  return model, reader, read, job.reducer()


def _read(record_file, reader, read):
  """Yields the batches of a file.

  All that is wrong with the file is a `RecordError`.
  """
  try:
    with records.clear_errors(reader.explain, [record_file]):
      yield from read(record_file)
  except (OSError, tf.errors.OpError) as error:
    raise records.RecordError(f"{record_file} cannot be read: {error}") from error


def _scored(model, batches, job, advance):
  """Returns an iterator over batches and their scores."""
  def predict(batch):
    scores = _scores(model, batch)
    advance(len(scores))
    return scores

  if orders_by_length(job):
    return by_length.in_windows(predict, batches, job.batch_size)
  return ((batch, predict(batch)) for batch in batches)


def orders_by_length(job: Job) -> bool:
  """Returns whether a job predicts videos of similar length together."""
  return not job.segments and by_length.applies(job.source.spec, job.source.allow_code)


def _scored_segments(model, batches, advance):
  """Yields batches of segments, which all have the same length, with their scores."""
  for batch, num_videos in batches:
    scores = _scores(model, batch)
    advance(num_videos)
    yield batch, scores


def _segments(batches, batch_size):
  """Yields the five-frame segments of batches, `batch_size` at a time, without labels.

  They come with the number of videos, which are counted with the first segments.
  """
  for batch in batches:
    features, num_frames, rows_and_starts = segment_reader.split_into_segments(
        batch["features"], batch["num_frames"])
    videos, starts = tf.unstack(rows_and_starts, axis=1)
    ids = tf.strings.join(
        [tf.gather(batch["id"], videos), tf.strings.as_string(starts)], ":")
    for first in range(0, len(ids), batch_size):
      rows = slice(first, first + batch_size)
      yield {"id": ids[rows], "features": {name: x[rows] for name, x in features.items()},
             "num_frames": num_frames[rows], "labels": None}, (
                 len(batch["id"]) if first == 0 else 0)


def _scores(model, batch):
  """Returns scores whose bits do not depend on the number of threads.

  TensorFlow splits the sum of a matrix times a vector among its threads, but never those
  of a matrix times a matrix. So a single row is predicted together with a copy of itself.
  """
  inputs = prediction.model_inputs(batch)
  if len(inputs["num_frames"]) > 1:
    return model(inputs)
  return model(tf.nest.map_structure(lambda x: tf.repeat(x, 2, axis=0), inputs))[:1]


class TopClasses:
  """Picks the `top_k` best classes of every row, best first.

  Of equal scores the lower class comes first. The scores stay in TensorFlow, on their
  device, and only the best are copied from it.

  Args:
    num_classes: Number of classes, C.
    top_k: Number of classes to pick, k, from 1 to C.
    class_ids: Classes to choose from, ascending; if they are fewer than k, all of them
      are picked. None means all classes.

  Raises:
    ValueError: `top_k` is out of range.
  """

  def __init__(self, num_classes: int, top_k: int,
               class_ids: Iterable[int] | None = None):
    top_k = streaming.chosen_top_k(top_k, num_classes)
    class_ids = tuple(class_ids) if class_ids is not None else ()
    k = min(top_k, len(class_ids)) if class_ids else top_k

    @tf.function(input_signature=[tf.TensorSpec([None, num_classes], tf.float32)])
    def pick(predictions):
      bad_rows = tf.where(tf.reduce_any(tf.math.is_nan(predictions), axis=1))[:, 0]
      if class_ids:
        predictions = tf.gather(predictions, class_ids, axis=1)
      scores, classes = tf.math.top_k(predictions, k)
      return tf.gather(class_ids, classes) if class_ids else classes, scores, bad_rows

    self._pick = pick

  def __call__(self, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns classes, (batch_size, k) int32, and their scores, (batch_size, k) float32.

    Args:
      predictions: Scores, (batch_size, C).

    Raises:
      ValueError: A prediction is not a number.
    """
    classes, scores, bad_rows = (
        x.numpy() for x in self._pick(tf.convert_to_tensor(predictions, tf.float32)))
    if bad_rows.size:
      raise ValueError(
          f"The predictions of {bad_rows.size} of {len(scores)} rows, the first of them "
          f"row {bad_rows[0]}, are not numbers (NaN). Has the model diverged in "
          "training?")
    return classes.astype("int32"), scores
