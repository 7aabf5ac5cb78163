# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of the videos of one record file, checked and made small."""

import numpy as np

from yt8m.data import label_sets
from yt8m.eval.metrics import ranking

# Scores are sums of products of probabilities: so far beyond 0 or 1 is rounding.
_TOLERANCE = 1e-5


class Part:
  """Collects the predictions of one part in memory."""

  def __init__(self, directory, num_classes, top_k):
    self._directory, self._num_classes, self._top_k = directory, num_classes, top_k
    self._class_type = np.uint16 if num_classes <= 2**16 else np.uint32
    self._batches = []

  def add(self, ids, scores, labels=None):
    """Appends the predictions of a batch of videos.

    Args:
      ids: (batch_size,) bytes or str.
      scores: (batch_size, C), probabilities.
      labels: (batch_size, C), a label is there if its entry exceeds ½; or None, for
        all batches of all parts.

    Raises:
      ValueError: a score is NaN or not in [0, 1], or a shape is wrong.
    """
    scores = np.asarray(scores, np.float32)
    if scores.shape != (len(ids), self._num_classes) or (
        labels is not None and np.shape(labels) != scores.shape):
      raise ValueError(
          f"{self._directory}: {len(ids)} videos and {self._num_classes} classes want "
          f"scores and labels of such a shape, not {scores.shape} and "
          f"{None if labels is None else np.shape(labels)}.")
    if not len(ids):
      return
    if not (scores.min() >= -_TOLERANCE and scores.max() <= 1 + _TOLERANCE):  # or NaN
      good = (scores >= -_TOLERANCE) & (scores <= 1 + _TOLERANCE)
      row, label = np.argwhere(~good)[0]
      raise ValueError(
          f"{self._directory}: the score of video {ids[row]!r} for class {label} is "
          f"{scores[row, label]:g}, not a probability from 0 to 1. Has the model "
          "diverged in training?")
    arrays = {"ids": _as_bytes(ids)}
    if self._top_k is not None:
      scores, classes = ranking.best_classes(scores, self._top_k)
      arrays["classes"] = classes.astype(self._class_type)
    arrays["scores"] = np.clip(scores, 0, 1).astype(np.float16)
    if labels is not None:
      sets = label_sets.LabelSets.from_matrix(labels)
      arrays["label_classes"] = sets.classes.astype(np.int32)
      arrays["label_sizes"] = sets.sizes.astype(np.int32)
    self._batches.append(arrays)

  def arrays(self):
    """The arrays of `prediction_store`."""
    if not self._batches:
      width = self._num_classes if self._top_k is None else self._top_k
      return {"ids": np.zeros(0, "S1"), "scores": np.zeros((0, width), np.float16)}
    return {key: np.concatenate([batch[key] for batch in self._batches])
            for key in self._batches[0]}


def _as_bytes(ids):
  ids = np.asarray(ids)
  return np.char.encode(ids, "utf-8") if ids.dtype.kind == "U" else ids.astype(np.bytes_)
