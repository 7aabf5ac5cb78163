# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the top lists say of single classes, groups of classes, and videos.

For two ways to score the same videos, to see where one is better. All of it is computed
from the top k predictions of each video that `EvaluationMetrics` keeps.
"""

import numpy as np

from yt8m.eval.metrics.average_precision import average_precision_by_class


def top_lists(measured):
  """The predictions that an `EvaluationMetrics` keeps, video by video.

  Returns:
    `(scores, classes, hits)`, each (num_examples, top_k), in the order of the videos and
    of descending scores.
  """
  state = measured.state()
  scores, codes = (
      state[name].reshape(-1, measured.top_k) for name in ("scores", "codes"))
  return scores, codes >> 1, (codes & 1).astype(bool)


def by_class(measured):
  """Average precision of every class, (num_classes,); NaN of one without positives."""
  precision = np.full(measured.num_classes, np.nan)
  precision[measured.num_positives > 0] = measured.get()["aps"]
  return precision


def by_group(measured, groups, num_groups):
  """GAP of each group of classes, as if there were no others.

  The top k of a video are still the best of all classes, as in the GAP of all.

  Args:
    measured: `EvaluationMetrics`.
    groups: (num_classes,) int, the group of each class.
    num_groups: G.

  Returns:
    (num_groups,), 0 of a group without positives.
  """
  scores, classes, hits = (array.ravel() for array in top_lists(measured))
  positives = np.bincount(groups, measured.num_positives, num_groups)
  return average_precision_by_class(scores, hits, groups[classes], positives)


def by_video(measured, num_labels):
  """Average precision of the top k list of every video, (num_examples,).

  Args:
    measured: `EvaluationMetrics`.
    num_labels: (num_examples,), labels of each video, in its top k or not.
  """
  scores, _, hits = top_lists(measured)
  videos = np.broadcast_to(np.arange(len(scores))[:, np.newaxis], scores.shape)
  return average_precision_by_class(
      scores.ravel(), hits.ravel(), videos.ravel(), num_labels)


def changed_most(before, after, number, eligible):
  """Which gained most, and which lost most.

  Args:
    before, after: (n,) figures; where either is NaN there is no change.
    number: `(most, least)`: how many gains and losses to return at most.
    eligible: (n,) bool, which may be returned.

  Returns:
    `(gained, lost)`, places of the largest change first; gains are above 0, losses below.
    Of equal changes the first place comes first.
  """
  change = np.where(eligible, after - before, np.nan)
  gained, lost = (np.argsort(-sign * change, kind="stable")[:count]
                  for sign, count in zip((1, -1), number, strict=True))
  return gained[change[gained] > 0], lost[change[lost] < 0]
