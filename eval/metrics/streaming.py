# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Hit@k, PERR, GAP and mAP: functions on arrays, and their streaming form.

Everywhere `predictions` and `labels` are `(batch_size, num_classes)` arrays or
tensors, and a label is positive where it is > 0 (bool, integers or floats). Of equal
predictions for one video the lower class ranks first. Source of the definitions:
YouTube-8M starter code, `eval_util.py`.
"""

import math

import numpy as np

from yt8m.eval.metrics.average_precision import average_precision
from yt8m.eval.metrics.average_precision import average_precision_by_class
from yt8m.eval.metrics.ranking import RankedBatch

# As in the YouTube-8M challenge.
TOP_K = 20


def hit_at_k(predictions, labels, k=1):
  """Share of videos with a label among their k best classes.

  A video without labels counts as a miss.
  """
  return float(np.mean(RankedBatch(predictions, labels, k).hits.any(axis=1)))


def precision_at_equal_recall_rate(predictions, labels):
  """PERR: precision of the n best classes of a video with n labels, mean over videos.

  A class with a prediction <= 0 is no hit. A video without labels counts as 0.
  """
  return RankedBatch(predictions, labels, TOP_K).mean_precision_at_equal_recall()


def gap(predictions, labels, top_k=TOP_K):
  """Global average precision: of one list of the `top_k` predictions of all videos.

  Labels outside the top k count as positives missed.
  """
  batch = RankedBatch(predictions, labels, top_k)
  return average_precision(
      batch.scores.ravel(), batch.hits.ravel(),
      total_positives=batch.num_positives.sum())


def mean_average_precision(predictions, labels, top_k=TOP_K, top_n=None):
  """mAP: average precision of each class that has positives, mean over these classes.

  Args:
    predictions: `(batch_size, num_classes)`.
    labels: `(batch_size, num_classes)`.
    top_k: a prediction is in the list of its class if it is in the top k of its
      video; positives outside count as missed.
    top_n: count the first n ranks of each list only, and at most n positives.

  Returns:
    The mean, 0 if no class has positives.
  """
  batch = RankedBatch(predictions, labels, top_k)
  aps = average_precision_by_class(
      batch.scores.ravel(), batch.hits.ravel(), batch.classes.ravel(),
      batch.num_positives, top_n)
  return _mean_or_zero(aps[batch.num_positives > 0])


class EvaluationMetrics:
  """The metrics of a whole data set, from batches of it, on one or many workers.

  Exact: the same as the functions above on all videos at once. Workers may be merged
  in any order, the results are the same bit for bit: hits are counted as integers,
  losses are added with a single rounding (`math.fsum`), ties have no order (see
  `average_precision`). Only `avg_loss` can depend, in its last bit, on how videos
  were put into batches.

  Memory: GAP needs the rank of every positive among all top-k predictions, and no
  rank is final before the last batch. So these are kept, and nothing else a video:
  a float32 score, and class and label packed into a uint16, 6 bytes. With k = 20
  that is 120 bytes a video, 132 MB for 1.1 million videos. `get` takes up to 50
  bytes a prediction more, while it runs.

  Args:
    num_classes: number of classes.
    top_k: predictions per video in GAP and mAP; more than num_classes means all.
    top_n: see `mean_average_precision`.

  Attributes:
    num_examples: videos accumulated.
    num_positives: `(num_classes,)` int64, videos that have each label.

  Raises:
    ValueError: `top_k` or `top_n` is not positive.
  """

  def __init__(self, num_classes, top_k=TOP_K, top_n=None):
    if top_k < 1:
      raise ValueError(f"--top_k={top_k} must be at least 1.")
    if top_n is not None and top_n < 1:
      raise ValueError(f"--top_n={top_n} must be at least 1, or left out.")
    self.num_classes = num_classes
    self.top_k = min(top_k, num_classes)
    self.top_n = top_n
    self.clear()

  def clear(self):
    """Forgets all that was accumulated."""
    self.num_examples = 0
    self.num_positives = np.zeros(self.num_classes, np.int64)
    self._num_hits_at_one = 0
    # PERR adds hits / n over videos with n labels. The hits summed for each n are
    # integers, which no order of addition can change.
    self._perr_hits = np.zeros(self.num_classes + 1, np.int64)
    self._loss_sums = []  # one a batch
    # The top k of each batch: scores, and 2 · class + (1 if it is a label).
    self._scores = [np.zeros(0, np.float32)]
    self._codes = [np.zeros(0, np.min_scalar_type(2 * self.num_classes - 1))]

  def accumulate(self, predictions, labels, loss, mask=None):
    """Adds a batch and returns its own metrics.

    Args:
      predictions: `(batch_size, num_classes)`.
      labels: `(batch_size, num_classes)`.
      loss: `(batch_size,)`, or the mean over the batch.
      mask: `(batch_size,)`, false for examples that only fill up the batch; they
        count nowhere (a loss that is a mean must be the mean over the others).

    Returns:
      `{"hit_at_one", "perr", "loss"}`, means over the batch; NaN if all is masked.

    Raises:
      ValueError: shapes do not fit, or a prediction is NaN. Nothing is added then.
    """
    name = f"Batch {len(self._loss_sums)}"
    batch = RankedBatch(predictions, labels, self.top_k, mask, self.num_classes, name)
    mean_loss = _mean_loss(loss, mask, len(labels), name)
    if not len(batch):
      return {"hit_at_one": math.nan, "perr": math.nan, "loss": math.nan}
    num_hits_at_one = np.count_nonzero(batch.hits[:, 0])

    self.num_examples += len(batch)
    self.num_positives += batch.num_positives
    self._num_hits_at_one += num_hits_at_one
    np.add.at(self._perr_hits, batch.num_labels, batch.hits_at_equal_recall)
    self._loss_sums.append(mean_loss * len(batch))
    self._scores.append(batch.scores.ravel())
    codes = 2 * batch.classes + batch.hits
    self._codes.append(codes.ravel().astype(self._codes[0].dtype))
    return {"hit_at_one": num_hits_at_one / len(batch),
            "perr": batch.mean_precision_at_equal_recall(),
            "loss": mean_loss}

  def get(self):
    """Returns the metrics of all that was accumulated.

    Returns:
      A dict of `avg_hit_at_one`, `avg_perr`, `avg_loss`, `gap`, `aps` (the average
      precision of each class that has positives, in the order of
      `np.flatnonzero(num_positives)`) and `map` (their mean, 0 if there are none).

    Raises:
      ValueError: nothing was accumulated.
    """
    if not self.num_examples:
      raise ValueError("There are no metrics of 0 examples. Does --eval_data_pattern "
                       "match records that hold any?")
    scores, codes = self._compacted()
    hits = codes & 1
    aps = average_precision_by_class(
        scores, hits, codes >> 1, self.num_positives, self.top_n)
    aps = aps[self.num_positives > 0]
    num_labels = np.maximum(np.arange(self.num_classes + 1), 1)
    return {
        "avg_hit_at_one": self._num_hits_at_one / self.num_examples,
        "avg_perr": float(np.sum(self._perr_hits / num_labels)) / self.num_examples,
        "avg_loss": math.fsum(self._loss_sums) / self.num_examples,
        "aps": aps,
        "gap": average_precision(
            scores, hits, total_positives=self.num_positives.sum()),
        "map": _mean_or_zero(aps),
    }

  def merge(self, other):
    """Adds what another worker accumulated, as if it had been accumulated here."""
    for name in ("num_classes", "top_k", "top_n"):
      mine, theirs = getattr(self, name), getattr(other, name)
      if mine != theirs:
        raise ValueError(
            f"Cannot merge metrics of {name} {theirs} into metrics of {name} {mine}.")
    self.num_examples += other.num_examples
    self.num_positives += other.num_positives
    self._num_hits_at_one += other._num_hits_at_one
    self._perr_hits += other._perr_hits
    self._loss_sums += other._loss_sums
    self._scores += other._scores
    self._codes += other._codes

  def state(self):
    """Returns all that was accumulated as a dict of arrays, fit for `np.savez`."""
    scores, codes = self._compacted()
    return {
        "num_classes": np.array(self.num_classes),
        "top_k": np.array(self.top_k),
        "top_n": np.array(self.top_n or 0),
        "num_examples": np.array(self.num_examples),
        "num_positives": self.num_positives.copy(),
        "num_hits_at_one": np.array(self._num_hits_at_one),
        "perr_hits": self._perr_hits.copy(),
        "loss_sums": np.array(self._loss_sums, np.float64),
        "scores": scores,
        "codes": codes,
    }

  @classmethod
  def from_state(cls, state):
    """Returns the metrics whose `state` this is (a dict, or what `np.load` returns)."""
    metrics = cls(int(state["num_classes"]), int(state["top_k"]),
                  int(state["top_n"]) or None)
    metrics.num_examples = int(state["num_examples"])
    metrics.num_positives += state["num_positives"]
    metrics._num_hits_at_one = int(state["num_hits_at_one"])
    metrics._perr_hits += state["perr_hits"]
    metrics._loss_sums = state["loss_sums"].tolist()
    metrics._scores = [state["scores"]]
    metrics._codes = [state["codes"]]
    return metrics

  def _compacted(self):
    """Joins the batches, so that they do not exist twice, and returns them."""
    self._scores = [np.concatenate(self._scores)]
    self._codes = [np.concatenate(self._codes)]
    return self._scores[0], self._codes[0]


def _mean_loss(loss, mask, batch_size, name):
  loss = np.asarray(loss, np.float64)
  if loss.shape not in ((), (batch_size,)):
    raise ValueError(f"{name}: loss {loss.shape} must be one value, or one a video "
                     f"({batch_size},).")
  if loss.ndim and mask is not None:
    loss = loss[np.asarray(mask, bool)]
  return float(np.mean(loss)) if loss.size else math.nan


def _mean_or_zero(values):
  return float(np.mean(values)) if len(values) else 0.0
