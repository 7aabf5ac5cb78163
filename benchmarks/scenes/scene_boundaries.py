# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Precision and recall of scene boundaries, compared with chance.

A boundary is the first frame of a scene, except frame 0, at which every video begins.
"""

from collections.abc import Sequence

import numpy as np


def boundaries(segments: np.ndarray) -> np.ndarray:
  """Returns the first frames of all segments of a video except the first segment.

  Args:
    segments: Segment of each frame, −1 for padding at the end, (num_frames,) int.
  """
  segments = np.asarray(segments)
  segments = segments[segments >= 0]
  return np.flatnonzero(np.diff(segments)) + 1


def count_hits(true: np.ndarray, predicted: np.ndarray, tolerance: int = 0) -> int:
  """Counts pairs of a true and a predicted boundary at most `tolerance` frames apart.

  Each boundary is in one pair at most. For sorted boundaries, pairing the earliest ones
  that fit gives the largest number of pairs.
  """
  true, predicted = np.sort(true), np.sort(predicted)
  hits = i = j = 0
  while i < len(true) and j < len(predicted):
    if abs(true[i] - predicted[j]) <= tolerance:
      hits, i, j = hits + 1, i + 1, j + 1
    elif true[i] < predicted[j]:
      i += 1
    else:
      j += 1
  return hits


def precision_recall(true: Sequence[np.ndarray], predicted: Sequence[np.ndarray],
                     tolerance: int = 0) -> tuple[float, float]:
  """Returns precision and recall of the boundaries of all videos together.

  Args:
    true: List of arrays, the true boundaries of each video.
    predicted: List of arrays, the predicted boundaries of each video.
    tolerance: Largest distance of a match, in frames.

  Returns:
    `(hits / predicted boundaries, hits / true boundaries)`, each 0 without boundaries.
  """
  hits = sum(count_hits(t, f, tolerance) for t, f in zip(true, predicted, strict=True))
  num_predicted, num_true = sum(map(len, predicted)), sum(map(len, true))
  return hits / max(num_predicted, 1), hits / max(num_true, 1)


def chance(true: Sequence[np.ndarray], predicted: Sequence[np.ndarray],
           num_frames: Sequence[int], tolerance: int = 0, draws: int = 100,
           seed: int = 0) -> tuple[float, float]:
  """Returns precision and recall of the same number of boundaries at random frames.

  Args:
    true, predicted, tolerance: Arguments of `precision_recall`.
    num_frames: Number of frames of each video; boundaries are drawn from
      1 … num_frames − 1 without repetition.
    draws: Number of draws to average over.
    seed: Seed of the draws.
  """
  rng = np.random.default_rng(seed)
  drawn = [precision_recall(
      true, [1 + rng.choice(n - 1, len(f), replace=False)
             for f, n in zip(predicted, num_frames, strict=True)], tolerance)
           for _ in range(draws)]
  precision, recall = np.mean(drawn, axis=0)
  return precision, recall
