# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""GAP of blended predictions that are stored class by slot: exact, and fast to repeat.

A search asks for it thousands of times. So nothing is ranked but what must be: the top k
of a video are a partition, not a sort; the global list is sorted as bare float32 numbers;
and ranks are looked up for the labels alone, which are few.
"""

import functools

import numpy as np

from yt8m.eval.metrics.average_precision import average_precision_of_sorted
from yt8m.eval.metrics.streaming import TOP_K


def gap(blended, hits, num_positives, top_k=TOP_K):
  """Global average precision, the same as `metrics.gap` of the dense matrix.

  Of equal scores of a video the lower class, which is the lower slot, ranks first. A
  score of 0 is no prediction: padding never enters the list, nor does a class that no
  model scored (in `metrics.gap` such classes fill up the top k of a video with fewer).
  The factor of a mean does not matter, nor does any other increasing function that
  keeps 0.

  Args:
    blended: `(n, U)` float32, >= 0; slots ascend by class.
    hits: `(n, U)` bool, whether the class is a label of the video.
    num_positives: labels of all videos, those in no slot included.
    top_k: predictions per video; more than U means all.

  Returns:
    GAP, 0 without positives.

  Raises:
    ValueError: shapes differ, `top_k` is not positive, or a score is NaN.
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
    raise ValueError(f"The blended scores of video {_first_nan(blended)} hold NaN. Write "
                     "the predictions of its models again.")

  labels = np.flatnonzero(hits)
  label_scores = blended.ravel()[labels]
  listed = label_scores > 0
  if first:
    videos, slots = np.divmod(labels, num_slots)
    thresholds = best[videos, 0]
    listed &= label_scores >= thresholds
    tied = np.flatnonzero(listed & (label_scores == thresholds))
    listed[tied] = _places(blended, videos[tied], slots[tied]) < top_k
  return average_precision_of_sorted(scores, label_scores[listed], num_positives)


def _places(blended, videos, slots):
  """How many predictions of the same video rank before each of these."""
  rows, slots = blended[videos], slots[:, np.newaxis]
  scores = np.take_along_axis(rows, slots, axis=1)
  lower = np.arange(blended.shape[1]) < slots
  return np.count_nonzero((rows > scores) | ((rows == scores) & lower), axis=1)


def _first_nan(blended):
  return np.flatnonzero(np.isnan(blended).any(axis=1))[0]


class BlendScorer:
  """GAP of the plain mean of some models, for `ensemble_search.search`.

      GAP(Σ_{m ∈ subset} T_m)

  The sum over all but the last model of a subset is kept: the children of a parent
  differ in their last model only, so that each costs one addition. A sum has 4·n·U bytes
  and four are kept; threads may share a scorer.

  Args:
    transformed: `(M, n, U)`, of `averaging.transform`; may be a memory map.
    hits, num_positives: see `gap`.
  """

  def __init__(self, transformed, hits, num_positives):
    self._transformed, self._hits = transformed, hits
    self._num_positives = num_positives
    self._parent_sum = functools.lru_cache(maxsize=4)(self._sum)

  def __call__(self, subset):
    """GAP of the models with these indices, a tuple."""
    return gap(self._sum(subset), self._hits, self._num_positives)

  def _sum(self, subset):
    *parent, last = subset
    if not parent:
      return self._transformed[last].astype(np.float32)
    return np.add(self._parent_sum(tuple(parent)), self._transformed[last],
                  dtype=np.float32)
