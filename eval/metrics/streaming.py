# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Hit@k, PERR, GAP and mAP: functions on arrays, and their streaming form.

All functions take `predictions` and `labels` as `(batch_size, num_classes)` arrays or
tensors. A label is positive where it is > 0 (bool, integers or floats). Of equal
predictions for one video, the lower class ranks first.

Source of the definitions: YouTube-8M starter code, `eval_util.py`.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from yt8m.eval.metrics import accumulators
from yt8m.eval.metrics.average_precision import average_precision
from yt8m.eval.metrics.average_precision import average_precision_by_class
from yt8m.eval.metrics.ranking import RankedBatch

# Predictions per video in the YouTube-8M challenge.
TOP_K = 20

# The scalars of `EvaluationMetrics.get`, with the names that the starter code prints.
TITLES = {"avg_hit_at_one": "Avg_Hit@1", "avg_perr": "Avg_PERR", "map": "MAP",
          "gap": "GAP", "avg_loss": "Avg_Loss"}


def chosen_top_k(top_k: int | None, num_classes: int) -> int:
  """Returns the number of classes to keep of a video.

  >>> from yt8m.eval.metrics import streaming
  >>> streaming.chosen_top_k(None, 3862), streaming.chosen_top_k(None, 5)
  (20, 5)

  Args:
    top_k: Value of --top_k; None means 20, or all classes if they are fewer.
    num_classes: Number of classes, C.

  Raises:
    ValueError: `top_k` is given and not from 1 to C.
  """
  if top_k is None:
    return min(TOP_K, num_classes)
  if not 1 <= top_k <= num_classes:
    raise ValueError(f"--top_k={top_k} must be between 1 and the number of classes, "
                     f"{num_classes}.")
  return top_k


def hit_at_k(predictions: npt.ArrayLike, labels: npt.ArrayLike, k: int = 1) -> float:
  """Returns the share of videos with a label among their k best classes.

  A video without labels counts as a miss.
  """
  batch = RankedBatch(predictions, labels, k)
  return batch.num_hits(k) / len(batch) if len(batch) else math.nan


def precision_at_equal_recall_rate(
    predictions: npt.ArrayLike, labels: npt.ArrayLike) -> float:
  """Returns PERR: mean precision of the n best classes of a video with n labels.

  A class with a prediction <= 0 is not a hit. A video without labels counts as 0.
  """
  return RankedBatch(predictions, labels, TOP_K).mean_precision_at_equal_recall()


def gap(predictions: npt.ArrayLike, labels: npt.ArrayLike, top_k: int = TOP_K) -> float:
  """Returns the global average precision, of the `top_k` predictions of all videos.

  Labels outside the top k count as missed positives.
  """
  batch = RankedBatch(predictions, labels, top_k)
  return average_precision(
      batch.scores.ravel(), batch.hits.ravel(),
      total_positives=batch.num_positives.sum())


def mean_average_precision(predictions: npt.ArrayLike, labels: npt.ArrayLike,
                           top_k: int = TOP_K, top_n: int | None = None) -> float:
  """Returns mAP: the mean average precision of the classes with positives.

  Args:
    predictions: Scores, `(batch_size, num_classes)`.
    labels: Labels, `(batch_size, num_classes)`.
    top_k: Number of predictions per video that enter the lists of their classes.
      Positives outside count as missed.
    top_n: Number of ranks of each list to count, and the most positives to divide by.

  Returns:
    The mean, 0 if no class has positives.
  """
  batch = RankedBatch(predictions, labels, top_k)
  aps = average_precision_by_class(
      batch.scores.ravel(), batch.hits.ravel(), batch.classes.ravel(),
      batch.num_positives, top_n)
  return accumulators.mean_or_zero(aps[batch.num_positives > 0])


class EvaluationMetrics:
  """The metrics of a whole data set, accumulated batch by batch on one or more workers.

  The result equals that of the functions above on all videos at once. Workers may be
  merged in any order: the result is the same bit for bit, because hits are counted as
  integers, losses are added with a single rounding (`math.fsum`), and ties have no order
  (see `average_precision`). Only the last bit of `avg_loss` can depend on how the videos
  were batched.

  Memory: 6 bytes for each of the top k predictions, see `accumulators.TopPredictions`.
  For k = 20 that is 120 bytes per video, 132 MB for 1.1 million videos. `get` temporarily
  takes up to 50 more bytes per prediction.

  >>> from yt8m.eval import metrics
  >>> evaluation = metrics.EvaluationMetrics(num_classes=3)
  >>> evaluation.accumulate([[0.9, 0.2, 0.4]], [[1, 0, 1]], loss=0.5)
  {'hit_at_one': 1.0, 'perr': 1.0, 'loss': 0.5}
  >>> evaluation.get()["gap"]
  1.0

  Args:
    num_classes: Number of classes.
    top_k: Number of predictions per video in GAP and mAP; more than num_classes means
      all.
    top_n: Number of ranks to count in mAP, as in `mean_average_precision`.

  Attributes:
    num_examples: Number of accumulated videos.
    num_positives: Number of videos with each label, `(num_classes,)` int64.
    rated_only: Whether a score of 0 is that of a class which was not rated.

  Raises:
    ValueError: `top_k` or `top_n` is not positive.
  """

  def __init__(self, num_classes: int, top_k: int = TOP_K, top_n: int | None = None):
    if top_k < 1:
      raise ValueError(f"--top_k={top_k} must be at least 1.")
    if top_n is not None and top_n < 1:
      raise ValueError(f"top_n={top_n} must be at least 1, or left out.")
    self.num_classes = num_classes
    self.top_k = min(top_k, num_classes)
    self.top_n = top_n
    self.clear()

  def clear(self) -> None:
    """Discards everything accumulated so far."""
    self.num_examples, self.rated_only = 0, False
    self._hits_at_one = accumulators.HitRate(1)
    self._perr = accumulators.EqualRecallPrecision(self.num_classes)
    self._top = accumulators.TopPredictions(self.num_classes, self.top_k)
    self._loss_sums = []  # one per batch

  @property
  def num_positives(self) -> np.ndarray:
    return self._top.num_positives

  @property
  def _parts(self) -> tuple[Any, ...]:
    return self._hits_at_one, self._perr, self._top

  def accumulate(self, predictions: npt.ArrayLike, labels: npt.ArrayLike,
                 loss: npt.ArrayLike, mask: npt.ArrayLike | None = None,
                 ) -> dict[str, float]:
    """Adds a batch and returns its own metrics.

    Args:
      predictions: Scores, `(batch_size, num_classes)`.
      labels: Labels, `(batch_size, num_classes)`.
      loss: Losses of the videos, `(batch_size,)`, or their mean.
      mask: Videos to count, `(batch_size,)`. A loss that is a mean must be the mean over
        these. The other videos pad the batch and do not contribute.

    Returns:
      `{"hit_at_one", "perr", "loss"}`, batch means; NaN if all videos are masked.

    Raises:
      ValueError: The shapes do not match, or a prediction is NaN. Nothing is added then.
    """
    name = f"Batch {len(self._loss_sums)}"
    batch = RankedBatch(predictions, labels, self.top_k, mask, self.num_classes, name)
    mean_loss = _mean_loss(loss, mask, np.shape(labels)[0], name)
    if not len(batch):
      return {"hit_at_one": math.nan, "perr": math.nan, "loss": math.nan}

    self.num_examples += len(batch)
    for part in self._parts:
      part.add(batch)
    self._loss_sums.append(mean_loss * len(batch))
    return {"hit_at_one": batch.num_hits(1) / len(batch),
            "perr": batch.mean_precision_at_equal_recall(),
            "loss": mean_loss}

  def get(self) -> dict[str, Any]:
    """Returns the metrics of all accumulated videos.

    Returns:
      A dict of `avg_hit_at_one`, `avg_perr`, `avg_loss`, `gap`, `aps` (average precision
      of each class with positives, in the order of `np.flatnonzero(num_positives)`) and
      `map` (their mean, 0 if there are none).

    Raises:
      ValueError: Nothing was accumulated.
    """
    if not self.num_examples:
      raise ValueError("There are no metrics of 0 examples. Does --eval_data_pattern "
                       "match records that hold any?")
    aps = self._top.average_precisions(self.top_n)
    return {
        "avg_hit_at_one": self._hits_at_one.value(),
        "avg_perr": self._perr.value(),
        "avg_loss": math.fsum(self._loss_sums) / self.num_examples,
        "aps": aps,
        "gap": self._top.gap(),
        "map": accumulators.mean_or_zero(aps),
    }

  def calibration(self) -> dict[str, Any]:
    """Returns how far the scores of the top k classes are probabilities.

    The result is that of `calibration.measure`.
    """
    return self._top.calibration(self.rated_only)

  def predictions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the best classes of every video, and whether they are labels.

    Returns:
      Scores, classes and hits, each (num_examples, top_k), best first.
    """
    scores, codes = (x.reshape(-1, self.top_k) for x in self._top.compacted())
    return scores, codes >> 1, codes & 1 > 0

  def merge(self, other: "EvaluationMetrics") -> None:
    """Adds everything that another worker accumulated."""
    for name in ("num_classes", "top_k", "top_n"):
      mine, theirs = getattr(self, name), getattr(other, name)
      if mine != theirs:
        raise ValueError(
            f"Cannot merge metrics of {name} {theirs} into metrics of {name} {mine}.")
    self.num_examples += other.num_examples
    self.rated_only |= other.rated_only
    for mine, theirs in zip(self._parts, other._parts, strict=True):
      mine.merge(theirs)
    self._loss_sums += other._loss_sums

  def state(self) -> dict[str, Any]:
    """Returns everything accumulated as a dict of arrays, ready for `np.savez`."""
    scores, codes = self._top.compacted()
    return {
        "num_classes": np.array(self.num_classes),
        "top_k": np.array(self.top_k),
        "top_n": np.array(self.top_n or 0),
        "num_examples": np.array(self.num_examples),
        "rated_only": np.array(self.rated_only),
        "num_positives": self.num_positives.copy(),
        "num_hits_at_one": np.array(self._hits_at_one.num_hits),
        "perr_hits": self._perr.hits.copy(),
        "loss_sums": np.array(self._loss_sums, np.float64),
        "scores": scores,
        "codes": codes,
    }

  @classmethod
  def from_state(cls, state: Any) -> "EvaluationMetrics":
    """Restores metrics from their `state`, a dict or the result of `np.load`."""
    metrics = cls(int(state["num_classes"]), int(state["top_k"]),
                  int(state["top_n"]) or None)
    metrics.num_examples = int(state["num_examples"])
    metrics.rated_only = bool(state["rated_only"])
    metrics._hits_at_one.num_hits = int(state["num_hits_at_one"])
    metrics._perr.hits += state["perr_hits"]
    metrics._loss_sums = state["loss_sums"].tolist()
    for part in metrics._parts:
      part.num_examples = metrics.num_examples
    metrics._top.restore(state["num_positives"], state["scores"], state["codes"])
    return metrics


def _mean_loss(loss, mask, batch_size, name):
  loss = np.asarray(loss, np.float64)
  if loss.shape not in ((), (batch_size,)):
    raise ValueError(f"{name}: loss {loss.shape} must be one value, or one per video "
                     f"({batch_size},).")
  if loss.ndim and mask is not None:
    loss = loss[np.asarray(mask, bool)]
  return float(np.mean(loss)) if loss.size else math.nan
