# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Calibrated scores of the videos that calibrations are fitted to, e.g. for a teacher.

A calibration that has seen the labels of a video is too sure of it: its label sets have
the set of this very video. Each fold is therefore scored by a calibration of its own,
which is fitted to the other folds.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from absl import logging

from yt8m.data import label_sets as label_set_files
from yt8m.eval.predictions import writer
from yt8m.training import calibrating


def check(directory: str, num_folds: int) -> None:
  """Checks that predictions can be computed and written, before anything is computed.

  Args:
    directory: Value of `--predictions_output`.
    num_folds: Number of folds.

  Raises:
    ValueError: There is one fold only, or the directory is remote.
  """
  if num_folds < 2:
    raise ValueError(f"--predictions_output={directory} needs two folds or more, because "
                     "a calibration scores only videos that it was not fitted to: train "
                     "models without parts of the records, and give each with --fold.")
  writer.check_path(directory)


def scores(raw: np.ndarray, labels: np.ndarray, ids: np.ndarray,
           fold_of_video: np.ndarray,
           label_sets: label_set_files.LabelSets | None = None, seed: int = 0,
           members: np.ndarray | None = None,
           parts: Collection[str] = calibrating.PARTS, **hparams: Any) -> np.ndarray:
  """Returns the scores of each fold by a `Calibration` fitted to the other folds.

  Args:
    raw: Scores of models that were not trained on these videos, (n, num_classes).
    labels: Labels of the videos, (n, num_classes) bool.
    ids: Ids of the videos, (n,) bytes.
    fold_of_video: Number of the fold of each video, (n,), of two folds or more.
    label_sets: Label sets of many videos, of which those of the fold are left out. None:
      those of the other folds.
    seed: Seed of all random choices.
    members: Scores of the members of an ensemble, as `calibrating.fit` takes them.
    parts: Parts of the calibrations, of `calibrating.PARTS`.
    **hparams: Other arguments of `calibrating.make`.

  Returns:
    Calibrated scores, (n, num_classes) float32.

  Raises:
    ValueError: `label_sets` has no ids, or the other folds have too few videos.
  """
  result = np.empty(raw.shape, np.float32)
  num_members = 0 if members is None else members.shape[1]
  for fold in np.unique(fold_of_video):
    left_out = fold_of_video == fold
    logging.info("Calibrating for the %d videos of fold %d, without them.",
                 left_out.sum(), fold)
    sets = (label_sets.without(ids[left_out]) if label_sets is not None
            else label_set_files.LabelSets.from_matrix(labels[~left_out]))
    layer = calibrating.make(sets, seed=seed, num_members=num_members,
                             parts=parts, **hparams)
    ours, others = ((None, None) if members is None
                    else (members[left_out], members[~left_out]))
    calibrating.fit(layer, raw[~left_out], labels[~left_out], seed, parts, others)
    result[left_out] = calibrating.calibrated(layer, raw[left_out], ours)
  return result
