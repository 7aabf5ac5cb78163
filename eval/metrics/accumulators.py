# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What each metric keeps of the batches: counts, or the best predictions of every video.

Each accumulator has `add` for a `RankedBatch`, `merge` for what another worker added,
and `value` for the metric of all videos. Hits are counted as integers and ties have no
order, so that the value depends neither on the order of the videos nor on the batches.
"""

from typing import Any

import numpy as np

from yt8m.eval.metrics import calibration
from yt8m.eval.metrics.average_precision import average_precision
from yt8m.eval.metrics.average_precision import average_precision_by_class
from yt8m.eval.metrics.ranking import RankedBatch


class HitRate:
  """Hit@k, the share of videos with a label among their k best classes.

      Hit@k = Σ_videos [a label is among the k best classes] / videos

  Args:
    k: Number of classes, at most the `top_k` of the batches.
  """

  def __init__(self, k: int = 1):
    self.k = k
    self.num_examples = self.num_hits = 0

  def add(self, batch: RankedBatch) -> None:
    self.num_examples += len(batch)
    self.num_hits += batch.num_hits(self.k)

  def merge(self, other: "HitRate") -> None:
    self.num_examples += other.num_examples
    self.num_hits += other.num_hits

  def value(self) -> float:
    return self.num_hits / self.num_examples


class EqualRecallPrecision:
  """PERR, the mean precision of the n best classes of a video with n labels.

      PERR = Σ_videos hits(n best classes with a score > 0) / max(n, 1) / videos

  The hits are summed for each n: sums of integers do not depend on their order.

  Args:
    num_classes: Number of classes.
  """

  def __init__(self, num_classes: int):
    self.num_examples = 0
    self.hits = np.zeros(num_classes + 1, np.int64)

  def add(self, batch: RankedBatch) -> None:
    self.num_examples += len(batch)
    np.add.at(self.hits, batch.num_labels, batch.hits_at_equal_recall)

  def merge(self, other: "EqualRecallPrecision") -> None:
    self.num_examples += other.num_examples
    self.hits += other.hits

  def value(self) -> float:
    num_labels = np.maximum(np.arange(len(self.hits)), 1)
    return float(np.sum(self.hits / num_labels)) / self.num_examples


class TopPredictions:
  """The top k predictions of every video, of which GAP and mAP are computed.

  Both need the rank of every positive among all of these predictions, and no rank is
  final before the last batch. Each prediction is kept in 6 bytes: a float32 score, and
  its class and label packed into a uint16 (8 bytes from 32769 classes on).

  Args:
    num_classes: Number of classes.
    top_k: Number of predictions per video, at most `num_classes`.

  Attributes:
    num_positives: Number of videos with each label, `(num_classes,)` int64.
  """

  def __init__(self, num_classes: int, top_k: int):
    self.num_examples = 0
    self.num_positives = np.zeros(num_classes, np.int64)
    self.top_k = top_k
    # The top k of each batch: scores, and 2 · class + (1 if it is a label).
    self._scores = [np.zeros(0, np.float32)]
    self._codes = [np.zeros(0, np.min_scalar_type(2 * num_classes - 1))]

  def add(self, batch: RankedBatch) -> None:
    self.num_examples += len(batch)
    self.num_positives += batch.num_positives
    self._scores.append(batch.scores.ravel())
    codes = 2 * batch.classes + batch.hits
    self._codes.append(codes.ravel().astype(self._codes[0].dtype))

  def merge(self, other: "TopPredictions") -> None:
    self.num_examples += other.num_examples
    self.num_positives += other.num_positives
    self._scores += other._scores
    self._codes += other._codes

  def gap(self) -> float:
    """Returns the average precision of the predictions of all videos in one list."""
    scores, codes = self.compacted()
    return average_precision(
        scores, codes & 1, total_positives=self.num_positives.sum())

  def average_precisions(self, top_n: int | None = None) -> np.ndarray:
    """Returns the average precision of each class with positives, in their order."""
    scores, codes = self.compacted()
    return average_precision_by_class(
        scores, codes & 1, codes >> 1, self.num_positives, top_n)[self.num_positives > 0]

  def calibration(self, rated_only: bool) -> dict[str, Any]:
    """Returns what `calibration.measure` does for the predictions of all videos."""
    scores, codes = self.compacted()
    return calibration.measure(
        scores, codes & 1, codes >> 1, self.num_positives, rated_only)

  def compacted(self) -> tuple[np.ndarray, np.ndarray]:
    """Joins the batches in place, to avoid a second copy, and returns them."""
    self._scores = [np.concatenate(self._scores)]
    self._codes = [np.concatenate(self._codes)]
    return self._scores[0], self._codes[0]

  def restore(self, num_positives: np.ndarray, scores: np.ndarray, codes: np.ndarray
              ) -> None:
    """Takes over the positives and the `compacted` predictions of another."""
    self.num_positives += num_positives
    self._scores, self._codes = [scores], [codes]


class GlobalAveragePrecision(TopPredictions):
  """`TopPredictions` whose value is GAP."""

  def value(self) -> float:
    return self.gap()


class MeanAveragePrecision(TopPredictions):
  """`TopPredictions` whose value is mAP.

  Args:
    num_classes: Number of classes.
    top_k: Number of predictions per video.
    top_n: Number of ranks to count in the list of each class.
  """

  def __init__(self, num_classes: int, top_k: int, top_n: int | None = None):
    super().__init__(num_classes, top_k)
    self.top_n = top_n

  def value(self) -> float:
    return mean_or_zero(self.average_precisions(self.top_n))


def mean_or_zero(values: np.ndarray) -> float:
  """Returns the mean, 0 of no values."""
  return float(np.mean(values)) if len(values) else 0.0
