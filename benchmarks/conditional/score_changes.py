# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics of single classes, groups of classes, and videos, from the top lists.

They show where one of two ways to score the same videos is better. All are computed from
the top k predictions of each video, which `EvaluationMetrics` keeps.
"""

import numpy as np

from yt8m.eval.metrics.average_precision import average_precision_by_class
from yt8m.eval.metrics.streaming import EvaluationMetrics


def top_lists(metrics: EvaluationMetrics,
              ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the predictions that an `EvaluationMetrics` keeps, video by video.

  Returns:
    `(scores, classes, hits)`, each (num_examples, top_k), in the order of the videos and
    of descending scores.
  """
  state = metrics.state()
  scores, codes = (
      state[name].reshape(-1, metrics.top_k) for name in ("scores", "codes"))
  return scores, codes >> 1, (codes & 1).astype(bool)


def by_class(metrics: EvaluationMetrics) -> np.ndarray:
  """Average precision of each class, (num_classes,), NaN without positives."""
  precision = np.full(metrics.num_classes, np.nan)
  precision[metrics.num_positives > 0] = metrics.get()["aps"]
  return precision


def by_group(metrics: EvaluationMetrics, groups: np.ndarray, num_groups: int,
             ) -> np.ndarray:
  """Computes the GAP of each group of classes, as if there were no others.

  The top k of a video are still the best of all classes.

  Args:
    metrics: Metrics of the videos.
    groups: Group of each class, (num_classes,) int.
    num_groups: Number of groups.

  Returns:
    The GAPs, (num_groups,), 0 for a group without positives.
  """
  scores, classes, hits = (array.ravel() for array in top_lists(metrics))
  positives = np.bincount(groups, metrics.num_positives, num_groups)
  return average_precision_by_class(scores, hits, groups[classes], positives)


def by_video(metrics: EvaluationMetrics, num_labels: np.ndarray) -> np.ndarray:
  """Returns the average precision of the top k list of each video, (num_examples,).

  Args:
    metrics: Metrics of the videos.
    num_labels: Number of labels of each video, in its top k or not, (num_examples,).
  """
  scores, _, hits = top_lists(metrics)
  videos = np.broadcast_to(np.arange(len(scores))[:, np.newaxis], scores.shape)
  return average_precision_by_class(
      scores.ravel(), hits.ravel(), videos.ravel(), num_labels)


def changed_most(before: np.ndarray, after: np.ndarray, number: tuple[int, int],
                 eligible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the places with the largest gains and the largest losses.

  Args:
    before, after: Figures, (n,). Where either is NaN there is no change.
    number: Largest number of gains and of losses to return.
    eligible: Places that may be returned, (n,) bool.

  Returns:
    `(gained, lost)`: places with changes above 0 and below 0, largest change first. Equal
    changes are in the order of their places.
  """
  change = np.where(eligible, after - before, np.nan)
  gained, lost = (np.argsort(-sign * change, kind="stable")[:count]
                  for sign, count in zip((1, -1), number, strict=True))
  return gained[change[gained] > 0], lost[change[lost] < 0]
