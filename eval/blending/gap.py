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

from yt8m.eval.blending import averaging
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
    raise ValueError(f"top_k={top_k} must be at least 1.")
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
  """GAP of the blends of a search, which grow model by model.

      GAP(Σ_m w_m T_m + a T_added)

  The sum over the models before the last is cached. The children of a parent differ in
  what is added only, so each costs one addition. A sum takes 4·n·U bytes, and two are
  cached. Threads may share a scorer.

  Args:
    transformed: Transformed scores, `(M, n, U)`, from `averaging.transform`; may be a
      memory map.
    hits: Whether the class is a label of the video, `(n, U)` bool.
    num_positives: Number of labels of all videos, including those in no slot.
  """

  def __init__(self, transformed: Sequence[np.ndarray] | np.ndarray, hits: np.ndarray,
               num_positives: float):
    self.transformed, self.hits = transformed, hits
    self.num_positives = num_positives
    self._sum = functools.lru_cache(maxsize=2)(
        lambda models, weights: averaging.blend(self.of(models), weights))

  def of(self, models: Sequence[int]) -> list[np.ndarray]:
    """Returns the transformed scores of the models with these indices, not copied."""
    return [self.transformed[i] for i in models]

  def __call__(self, models: tuple[int, ...], weights: tuple[float, ...], added: int,
               amount: float = 1.0) -> float:
    """Returns GAP of models, which may be none, with their weights, and of another."""
    blended = np.multiply(self.transformed[added], np.float32(amount), dtype=np.float32)
    if models:
      blended += self._sum(models, weights)
    return gap(blended, self.hits, self.num_positives)
