# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The best classes of every row of scores, found where the scores are."""

import tensorflow as tf


class TopClasses:
  """Picks the `top_k` best classes of every row, best first.

  Of equal scores the lower class comes first. The scores stay in TensorFlow, on their
  device: only the best leave it.

  Args:
    num_classes: C.
    top_k: k, from 1 to C.
    class_ids: ascending classes to choose from; k is their number, if they are fewer.
      None stands for all.

  Raises:
    ValueError: `top_k` is out of range.
  """

  def __init__(self, num_classes, top_k, class_ids=None):
    if not 1 <= top_k <= num_classes:
      raise ValueError(f"--top_k={top_k} must be between 1 and the number of classes, "
                       f"{num_classes}.")
    chosen = class_ids is not None and len(class_ids)
    self.top_k = min(top_k, chosen) if chosen else top_k

    @tf.function(input_signature=[tf.TensorSpec([None, num_classes], tf.float32)])
    def pick(predictions):
      bad_rows = tf.where(tf.reduce_any(tf.math.is_nan(predictions), axis=1))[:, 0]
      if chosen:
        predictions = tf.gather(predictions, class_ids, axis=1)
      scores, classes = tf.math.top_k(predictions, self.top_k)
      return tf.gather(class_ids, classes) if chosen else classes, scores, bad_rows

    self._pick = pick

  def __call__(self, predictions):
    """Returns classes, (batch_size, k) int32, and their scores, (batch_size, k) float32.

    Args:
      predictions: `(batch_size, C)`.

    Raises:
      ValueError: a prediction is not a number.
    """
    classes, scores, bad_rows = (
        x.numpy() for x in self._pick(tf.convert_to_tensor(predictions, tf.float32)))
    if bad_rows.size:
      raise ValueError(
          f"The predictions of {bad_rows.size} of {len(scores)} rows, first of row "
          f"{bad_rows[0]}, are not numbers (NaN): has the model diverged in training?")
    return classes.astype("int32"), scores
