# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Non-interpolated average precision of one ranked list, or of one list per class."""

import numpy as np
import numpy.typing as npt


def average_precision(scores: npt.ArrayLike, labels: npt.ArrayLike,
                      top_n: int | None = None,
                      total_positives: float | None = None) -> float:
  """Returns the average precision of one list of predictions.

  `AP = Σ_r positive(r) · precision(r) / P`, over the ranks r = 1, 2, … by
  descending score, where precision(r) is the share of positives among the first r.

  Predictions of equal score have no natural order. They contribute the mean over all
  their orders, in closed form. The starter code shuffles before it sorts; this is the
  expectation of its result. It depends neither on the order of the input nor on how the
  input was split into batches or workers, and lies between the best and the worst order.

  >>> from yt8m.eval.metrics import average_precision
  >>> # 1/2 (1 + (2/2 + 2/3) / 2)
  >>> average_precision.average_precision([0.9, 0.5, 0.5], [1, 1, 0])
  0.9166666666666666

  Args:
    scores: Scores, `(num_predictions,)`.
    labels: Labels, `(num_predictions,)`, positive where > 0.
    top_n: Number of ranks to count, and the most positives to divide by; None for all.
    total_positives: Number of positives P, if some are missing from the list (those
      outside the top k of their video). Default: the positives in the list.

  Returns:
    The average precision, 0 without positives.

  Raises:
    ValueError: A score is NaN, the shapes differ, or `top_n` is not positive.

  Source: YouTube-8M starter code, `average_precision_calculator.py`.
  """
  if total_positives is None:
    total_positives = int(np.count_nonzero(np.asarray(labels) > 0))
  classes = np.zeros(np.shape(scores), np.uint8)
  return float(average_precision_by_class(
      scores, labels, classes, [total_positives], top_n)[0])


def average_precision_by_class(
    scores: npt.ArrayLike, labels: npt.ArrayLike, classes: npt.ArrayLike,
    total_positives: npt.ArrayLike, top_n: int | None = None) -> np.ndarray:
  """Returns the average precision of every class, from one list of all predictions.

  Args:
    scores: Scores, `(num_predictions,)`.
    labels: Labels, `(num_predictions,)`, positive where > 0.
    classes: Class of each prediction, `(num_predictions,)`.
    total_positives: Number of positives P of each class, including those missing from
      the list, `(num_classes,)`.
    top_n: Number of ranks to count, as in `average_precision`.

  Returns:
    `(num_classes,)` float64, 0 where a class has no positives.

  Raises:
    ValueError: As `average_precision`.
  """
  scores, classes = np.asarray(scores), np.asarray(classes)
  positive = np.asarray(labels) > 0
  total_positives = np.asarray(total_positives, np.float64)
  if not scores.shape == positive.shape == classes.shape == (scores.size,):
    raise ValueError(
        "scores, labels and classes must be vectors of one length, but have shapes "
        f"{scores.shape}, {positive.shape} and {classes.shape}.")
  if np.isnan(scores).any():
    raise ValueError(f"Score {np.argmax(np.isnan(scores))} is NaN.")
  if top_n is not None and top_n < 1:
    raise ValueError(f"top_n={top_n} must be at least 1, or left out.")

  # One integer per prediction, which sorts by class, then by descending score: sorting
  # bare integers is several times faster than an argsort of the scores.
  keys = classes.astype(np.int64)
  keys <<= 32
  keys += 2**31 - 1
  keys -= _ordinals(scores)
  # Only runs of equal keys with at least one positive contribute. A run has `num_hits`
  # positives among its `num_tied` predictions.
  run_keys, num_hits = np.unique(keys[positive], return_counts=True)
  keys.sort()
  run_start = np.searchsorted(keys, run_keys)
  num_tied = np.searchsorted(keys, run_keys, side="right") - run_start
  run_class = run_keys >> 32
  num_above = run_start - np.searchsorted(keys, run_class << 32)
  hits_before = np.cumsum(num_hits) - num_hits
  hits_above = hits_before - hits_before[np.searchsorted(run_class, run_class)]

  num_ranks = num_tied if top_n is None else np.clip(top_n - num_above, 0, num_tied)
  run, precision = _expected_precisions(
      num_above, num_tied, hits_above, num_hits, num_ranks)
  sums = np.bincount(run_class[run], precision, minlength=len(total_positives))

  if top_n is not None:
    total_positives = np.minimum(total_positives, top_n)
  return np.divide(sums, total_positives, out=np.zeros(len(sums)),
                   where=total_positives > 0)


def average_precision_of_sorted(
    scores: np.ndarray, hit_scores: np.ndarray, total_positives: float) -> float:
  """Returns the `average_precision` of a large, sorted list, with half the work.

  Args:
    scores: Scores, `(num_predictions,)`, ascending, without NaN.
    hit_scores: Scores of the positives, `(num_hits,)`, in any order.
    total_positives: Number of positives P.

  Returns:
    The average precision, 0 if P is 0.
  """
  run_scores, num_hits = np.unique(hit_scores, return_counts=True)
  run_end = np.searchsorted(scores, run_scores, side="right")
  num_tied = run_end - np.searchsorted(scores, run_scores)
  hits_above = num_hits.sum() - np.cumsum(num_hits)
  _, precision = _expected_precisions(
      len(scores) - run_end, num_tied, hits_above, num_hits, num_tied)
  return float(precision.sum() / total_positives) if total_positives else 0.0


def _expected_precisions(num_above, num_tied, hits_above, num_hits, num_ranks):
  """Returns the expected contribution of each rank in runs of equal scores.

  Args:
    num_above, num_tied: Numbers of predictions above and in each run, `(num_runs,)`.
    hits_above, num_hits: Numbers of positives above and in each run; a run has at least
      one.
    num_ranks: Number of ranks of each run that count, `(num_runs,)`.

  Returns:
    `(run, contribution)`: the run of each rank, and P(positive) · E[precision] there.
  """
  # Rank number `step` of a run holds a positive with probability hits / tied. If it
  # does, the other hits are spread evenly over the other ranks of the run.
  run = np.repeat(np.arange(len(num_tied)), num_ranks)
  step = np.arange(len(run)) - np.repeat(np.cumsum(num_ranks) - num_ranks, num_ranks)
  other_hits = (num_hits - 1) / np.maximum(num_tied - 1, 1)
  precision = hits_above[run] + 1 + other_hits[run] * step
  precision /= num_above[run] + 1 + step
  precision *= (num_hits / num_tied)[run]
  return run, precision


def _ordinals(scores):
  """Returns integers in [-2³¹, 2³¹) that compare as the scores do."""
  if scores.dtype != np.float32:
    return np.unique(scores, return_inverse=True)[1]
  # The bits of non-negative floats sort like integers, those of negative ones in
  # reverse. Adding 0 makes -0.0 and 0.0 equal.
  bits = (scores + np.float32(0)).view(np.int32)
  return np.bitwise_xor(bits, np.int32(2**31 - 1), out=bits, where=bits < 0)
