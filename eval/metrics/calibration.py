# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How far scores are probabilities: of the top k predictions of every video.

    ECE      = Σ_b n_b / n · |s̄_b − ȳ_b|            B bins of equal width over [0, 1]
    Brier    = Σ_i (s_i − y_i)² / n
    log loss = −Σ_i (y_i ln s_i + (1 − y_i) ln(1 − s_i)) / n

n is the number of predictions, s̄_b the mean score of a bin and ȳ_b the share of its
predictions that are labels. The thousands of classes below the top k would hide every
error: nearly all of them score 0 and are no labels.

Reference: Guo et al. 2017 (arXiv:1706.04599), equation 3; Brier 1950.
"""

from typing import Any

import numpy as np

NUM_BINS = 15
TITLES = {"ece": "ECE", "brier": "Brier", "log_loss": "Log_Loss"}

# Classes are grouped by their number of positives in the evaluated data, from each of
# these numbers to the next one.
_FREQUENCIES = (0, 1, 10, 100, 1000)
_EPSILON = 1e-7  # that bounds the logarithm of a certain mistake


def measure(scores: np.ndarray, hits: np.ndarray, classes: np.ndarray,
            num_positives: np.ndarray, rated_only: bool = False) -> dict[str, Any]:
  """Measures the calibration of predictions.

  Args:
    scores: Scores in [0, 1], (num_predictions,).
    hits: Whether each prediction is a label, (num_predictions,) bool.
    classes: Class of each prediction, (num_predictions,).
    num_positives: Number of positives of each class, (num_classes,).
    rated_only: Whether scores of 0 are left out: evaluation gives them to classes that
      were not rated for a segment.

  Returns:
    `ece`, `brier` and `log_loss`, NaN without predictions; `reliability`, a list of
    `{"from", "to", "predictions", "mean_score", "share_of_labels"}` of the bins that
    have predictions; and `by_frequency`, a list of `{"positives_from", "positives_to",
    "classes", "predictions", "ece", "brier", "log_loss"}` of the groups of classes that
    have predictions. The order of the predictions does not matter, to the bit.
  """
  group_of_class = np.searchsorted(_FREQUENCIES, num_positives, side="right") - 1
  counted = scores > 0 if rated_only else np.ones(len(scores), bool)
  groups, scores, hits = _sorted(
      *(x[counted] for x in (group_of_class[classes], scores, hits)))
  ends = (*_FREQUENCIES[1:], None)
  by_frequency = []
  for group in np.unique(groups).tolist():
    found = groups == group
    by_frequency.append({
        "positives_from": _FREQUENCIES[group], "positives_to": ends[group],
        "classes": int(np.count_nonzero(group_of_class == group)),
        "predictions": int(np.count_nonzero(found)),
        **_summary(scores[found], hits[found])})
  return {**_summary(scores, hits), "reliability": _reliability(scores, hits),
          "by_frequency": by_frequency}


def _sorted(groups: np.ndarray, scores: np.ndarray, hits: np.ndarray
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Sorts predictions, so that their sums do not depend on their order."""
  # One integer per prediction. The bits of positive floats sort as the floats do.
  keys = groups.astype(np.int64) << 33
  keys |= np.clip(scores, 0, 1).astype(np.float32).view(np.int32).astype(np.int64) << 1
  keys |= np.asarray(hits, bool)
  keys.sort()
  bits = (keys >> 1 & 0xffffffff).astype(np.int32)
  return keys >> 33, bits.view(np.float32).astype(np.float64), keys & 1 > 0


def _summary(scores: np.ndarray, hits: np.ndarray) -> dict[str, float]:
  if not len(scores):
    return dict.fromkeys(TITLES, float("nan"))
  counts, score_sums, hit_sums = _bins(scores, hits)
  given = np.where(hits, scores, 1 - scores)
  return {"ece": float(np.abs(score_sums - hit_sums).sum() / counts.sum()),
          "brier": float(np.mean((scores - hits) ** 2)),
          "log_loss": float(-np.mean(np.log(np.maximum(given, _EPSILON))))}


def _reliability(scores: np.ndarray, hits: np.ndarray) -> list[dict[str, Any]]:
  counts, score_sums, hit_sums = _bins(scores, hits)
  return [{"from": b / NUM_BINS, "to": (b + 1) / NUM_BINS, "predictions": int(counts[b]),
           "mean_score": float(score_sums[b] / counts[b]),
           "share_of_labels": float(hit_sums[b] / counts[b])}
          for b in np.flatnonzero(counts).tolist()]


def _bins(scores: np.ndarray, hits: np.ndarray
          ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the predictions, the sum of the scores and the labels of every bin."""
  bins = np.clip((scores * NUM_BINS).astype(np.int64), 0, NUM_BINS - 1)
  return (np.bincount(bins, minlength=NUM_BINS),
          np.bincount(bins, scores, NUM_BINS), np.bincount(bins, hits, NUM_BINS))
