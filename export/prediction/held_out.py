# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of videos by models that were not trained on them."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from yt8m.core import paths
from yt8m.core import progress
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
    complete: Whether no video was left out.
  """
  scores: np.ndarray
  labels: np.ndarray
  ids: np.ndarray
  folds: np.ndarray
  complete: bool


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
    ValueError: There are no records.
  """
  batches, complete = [], True
  count = 0
  for number, (model, pattern) in enumerate(folds):
    reader, predict = model.reader(), model.predictor(batch_size)
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
        batches.append((np.asarray(predict(batch)), batch["labels"].numpy() > 0, ids,
                        np.full(len(ids), number)))
        count += len(ids)
        report(count, f"Scored held-out videos: {count}", videos=count)
  if not batches:
    raise ValueError(f"No records are in {', '.join(pattern for _, pattern in folds)}: "
                     "name others.")
  scores, labels, ids, numbers = map(np.concatenate, zip(*batches, strict=True))
  return HeldOut(scores, labels, ids, numbers, complete)
