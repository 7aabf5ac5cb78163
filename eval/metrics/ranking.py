# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One batch, ranked: all that the metrics need to know of it."""

import functools

import numpy as np

from yt8m.eval.metrics.metrics_top_k import top_k as best_classes


class RankedBatch:
  """The top k predictions of each video, and how many labels there are to find.

  Args:
    predictions: `(batch_size, num_classes)`, array or tensor.
    labels: `(batch_size, num_classes)`; positive where > 0.
    top_k: predictions to rank per video; more than num_classes means all.
    mask: `(batch_size,)`, false for videos to leave out; they may hold NaN.
    num_classes: the number of classes to expect.
    name: how error messages call the batch.

  Attributes:
    scores: `(num_videos, top_k)`, descending; float32, or float64 if the
      predictions are.
    classes: `(num_videos, top_k)` int32; of equal scores the lower class is first.
    hits: `(num_videos, top_k)` bool, whether the class is a label of the video.
    num_labels: `(num_videos,)`, labels of each video, in the top k or not.
    num_positives: `(num_classes,)`, videos that have each label.

  Raises:
    ValueError: shapes do not fit, `top_k` is not positive, or a prediction is NaN.
  """

  def __init__(self, predictions, labels, top_k, mask=None, num_classes=None,
               name="Batch"):
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    if predictions.ndim != 2 or predictions.shape != labels.shape:
      raise ValueError(
          f"{name}: predictions {predictions.shape} and labels {labels.shape} must "
          "both be (batch_size, num_classes).")
    if num_classes not in (None, predictions.shape[1]):
      raise ValueError(f"{name}: predictions are for {predictions.shape[1]} classes, "
                       f"expected {num_classes}.")
    rows = np.arange(len(predictions))
    if mask is not None:
      mask = np.asarray(mask, bool)
      if mask.shape != rows.shape:
        raise ValueError(f"{name}: mask {mask.shape} must be ({len(rows)},), one value "
                         "a video.")
      if not mask.all():
        rows, predictions, labels = rows[mask], predictions[mask], labels[mask]
    if predictions.dtype != np.float64:
      predictions = predictions.astype(np.float32, copy=False)
    # The maximum of numbers with a NaN is NaN: one pass and no temporary array.
    if predictions.size and np.isnan(predictions.max()):
      row, column = np.argwhere(np.isnan(predictions))[0]
      raise ValueError(
          f"{name}: the prediction in row {rows[row]} for class {column} is NaN (the "
          "first of them). Did training diverge (try a lower --base_learning_rate), "
          "or do the features hold NaN?")

    self._predictions = predictions
    self._labels = labels if labels.dtype == bool else labels > 0
    self.scores, self.classes, self.hits = self._rank(slice(None), top_k)
    # Labels are few: to find them once is faster than to sum over both axes.
    num_videos, num_classes = predictions.shape
    videos, classes = np.divmod(np.flatnonzero(self._labels), num_classes)
    self.num_labels = np.bincount(videos, minlength=num_videos)
    self.num_positives = np.bincount(classes, minlength=num_classes)

  def __len__(self):
    return len(self.scores)

  @functools.cached_property
  def hits_at_equal_recall(self):
    """Labels with a score > 0 among the n best classes of each video with n labels."""
    num_hits = _hits_within(self.num_labels, self.scores, self.hits)
    # Rare: videos with more than k labels are ranked again, deeper.
    more = self.num_labels > self.scores.shape[1]
    if more.any():
      scores, _, hits = self._rank(more, self.num_labels.max())
      num_hits[more] = _hits_within(self.num_labels[more], scores, hits)
    return num_hits

  def mean_precision_at_equal_recall(self):
    """PERR of the batch; a video without labels counts as 0."""
    precision = self.hits_at_equal_recall / np.maximum(self.num_labels, 1)
    return float(np.mean(precision))

  def _rank(self, rows, k):
    if k < 1:
      raise ValueError(f"--top_k={k} must be at least 1.")
    predictions, labels = self._predictions[rows], self._labels[rows]
    scores, classes = best_classes(predictions, min(k, predictions.shape[1]))
    return scores, classes, np.take_along_axis(labels, classes, axis=1)


def _hits_within(num_ranks, scores, hits):
  ranks = np.arange(scores.shape[1])
  hits = hits & (scores > 0) & (ranks < num_ranks[:, None])
  return np.count_nonzero(hits, axis=1)
