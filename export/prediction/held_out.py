# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of videos by models that were not trained on them."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.artifacts import saved_model
from yt8m.core import paths
from yt8m.core import progress
from yt8m.core.types import Batch
from yt8m.core.types import Scores
from yt8m.data import dataset
from yt8m.data import records
from yt8m.export.prediction import jobs

_PROGRESS_SECS = 10.0


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
  """Held-out videos with scores.

  Attributes:
    scores: Scores of a model that was not trained on the video, (n, C) float32.
    labels: Labels, (n, C) bool.
    ids: Ids, (n,) bytes.
    folds: Number of the fold of each video, (n,).
    members: Scores of the M members of an ensemble, (n, M, C) float32; None for a model
      that has none.
    complete: Whether no video was left out.
  """
  scores: np.ndarray
  labels: np.ndarray
  ids: np.ndarray
  folds: np.ndarray
  members: np.ndarray | None
  complete: bool

  @property
  def num_members(self) -> int:
    """Number of members, M; 0 if there are none."""
    return 0 if self.members is None else self.members.shape[1]


def score(folds: Sequence[tuple[jobs.Source, str]], flag: str, batch_size: int,
          max_videos: int) -> HeldOut:
  """Scores the videos of each fold by its model.

  Args:
    folds: Pairs of a model and the pattern of records that it was not trained on.
    flag: Name of the flag that the patterns come from, for errors.
    batch_size: Number of videos in a batch.
    max_videos: Number of videos to score, the same share of each fold; a batch is
      finished.

  Raises:
    ValueError: There are no records, or the models of two folds differ in the number of
      members.
  """
  batches, of_members, complete = [], [], True
  count = 0
  for number, (model, pattern) in enumerate(folds):
    reader, predict = model.reader(), _predictor(model, batch_size)
    most = count + -(-max_videos // len(folds))
    record_files = paths.match(pattern, flag)
    reader.check_features(record_files, flag)
    dataset.Dataset.check_names(record_files, model.vocabulary)
    with (records.clear_errors(reader.explain, record_files),
          progress.Periodic(_PROGRESS_SECS, None, "videos", count) as report):
      for batch in reader.dataset(pattern, batch_size):
        if count >= most:
          complete = False
          break
        ids = batch["id"].numpy()
        scores, members = predict(batch)
        batches.append((np.asarray(scores), batch["labels"].numpy() > 0, ids,
                        np.full(len(ids), number)))
        of_members.append(None if members is None else np.asarray(members))
        if np.shape(of_members[-1])[1:] != np.shape(of_members[0])[1:]:
          raise ValueError(
              f"{model} and {folds[0][0]} have different numbers of members: build the "
              "ensembles of all folds from the same models.")
        count += len(ids)
        report(count, f"Scored held-out videos: {count}", videos=count)
  if not batches:
    raise ValueError(f"No records are in {', '.join(pattern for _, pattern in folds)}: "
                     "name others.")
  scores, labels, ids, numbers = map(np.concatenate, zip(*batches, strict=True))
  members = None if of_members[0] is None else np.concatenate(of_members)
  return HeldOut(scores, labels, ids, numbers, members, complete)


def _predictor(model: jobs.Source, batch_size: int
               ) -> Callable[[Batch], tuple[Scores, Any]]:
  """Returns a function from a batch to scores of the model, and of its members."""
  if isinstance(model, saved_model.SavedModel):
    return model.member_predictor()
  predict = model.predictor(batch_size)
  return lambda batch: (predict(batch), None)
