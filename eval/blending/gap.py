# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""GAP of blended predictions that are stored class by slot: exact, and fast to repeat.

A search computes it thousands of times, so no more is sorted than necessary: the top k of
a video are partitioned, the global list is sorted as bare float32 numbers, and ranks are
looked up for the few labels only.
"""

import functools
from collections.abc import Sequence

import numpy as np

from yt8m.eval.metrics.average_precision import average_precision_of_sorted
from yt8m.eval.metrics.streaming import TOP_K


def gap(blended: np.ndarray, hits: np.ndarray, num_positives: float,
        top_k: int = TOP_K) -> float:
  """Returns the global average precision, as `metrics.gap` of the dense matrix does.

  Of equal scores of a video, the lower class, which is the lower slot, ranks first. A
  score of 0 is not a prediction: neither padding nor a class without any score enters
  the list. (In `metrics.gap` such classes fill up the top k of a video.) GAP does not
  change with a constant factor or another increasing function that keeps 0.

  Args:
    blended: Blended scores, `(n, U)` float32, >= 0; slots ascend by class.
    hits: Whether the class is a label of the video, `(n, U)` bool.
    num_positives: Number of labels of all videos, including those in no slot.
    top_k: Number of predictions per video; more than U means all.

  Returns:
    GAP, 0 without positives.

  Raises:
    ValueError: The shapes differ, `top_k` is not positive, or a score is NaN.
  """
  if blended.ndim != 2 or blended.shape != hits.shape:
    raise ValueError(f"Blended scores {blended.shape} and hits {hits.shape} must both be "
                     "(num_videos, num_slots).")
  if top_k < 1:
    raise ValueError(f"--top_k={top_k} must be at least 1.")
  num_slots = blended.shape[1]
  first = max(num_slots - top_k, 0)
  best = np.partition(blended, first, axis=1)[:, first:] if first else blended
  scores = np.sort(best, axis=None)
  if scores.size and np.isnan(scores[-1]):  # NaN sorts last
    video = np.flatnonzero(np.isnan(blended).any(axis=1))[0]
    raise ValueError(f"The blended scores of video {video} hold NaN. Write the "
                     "predictions of its models again.")

  labels = np.flatnonzero(hits)
  label_scores = blended.ravel()[labels]
  listed = label_scores > 0
  if first:
    videos, slots = np.divmod(labels, num_slots)
    thresholds = best[videos, 0]
    listed &= label_scores >= thresholds
    tied = np.flatnonzero(listed & (label_scores == thresholds))
    listed[tied] = _ranks(blended, videos[tied], slots[tied]) < top_k
  return average_precision_of_sorted(scores, label_scores[listed], num_positives)


def _ranks(blended, videos, slots):
  """Returns how many predictions of the same video rank before each of these."""
  rows, slots = blended[videos], slots[:, np.newaxis]
  scores = np.take_along_axis(rows, slots, axis=1)
  lower = np.arange(blended.shape[1]) < slots
  return np.count_nonzero((rows > scores) | ((rows == scores) & lower), axis=1)


class BlendScorer:
  """GAP of the plain mean of some models, for `search.search`.

      GAP(Σ_{m ∈ subset} T_m)

  The sum over all models of a subset but the last is cached. The children of a parent
  differ in their last model only, so each costs one addition. A sum takes 4·n·U bytes,
  and four are cached. Threads may share a scorer.

  Args:
    transformed: Transformed scores, `(M, n, U)`, from `averaging.transform`; may be a
      memory map.
    hits: Whether the class is a label of the video, `(n, U)` bool.
    num_positives: Number of labels of all videos, including those in no slot.
  """

  def __init__(self, transformed: np.ndarray, hits: np.ndarray, num_positives: float):
    self._transformed, self._hits = transformed, hits
    self._num_positives = num_positives
    self._parent_sum = functools.lru_cache(maxsize=4)(self._sum)

  def __call__(self, subset: Sequence[int]) -> float:
    """Returns GAP of the models with these indices."""
    return gap(self._sum(subset), self._hits, self._num_positives)

  def _sum(self, subset):
    *parent, last = subset
    if not parent:
      return self._transformed[last].astype(np.float32)
    return np.add(self._parent_sum(tuple(parent)), self._transformed[last],
                  dtype=np.float32)
