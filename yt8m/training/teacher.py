# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Distillation: scores of a teacher, such as an ensemble, for the training videos."""

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.core import video_ids
from yt8m.eval.predictions import store as prediction_store
from yt8m.models import losses
from yt8m.training import soft_labels


class Teacher:
  """Adds the scores of a prediction store to every batch.

  Batches and scores are joined by video id: a hash table in memory holds the row of
  every video (about 100 bytes each), and the scores are read from the memory map as
  batches need them. The order and the number of the batches do not change.

  Args:
    store: Predictions of the training records.
    num_classes: Number of classes, C.

  Raises:
    ValueError: The store has another number of classes.

  Reference: Hinton et al. 2015 (arXiv:1503.02531), soft targets.
  """

  def __init__(self, store: prediction_store.PredictionStore, num_classes: int):
    if store.num_classes != num_classes:
      raise ValueError(f"--teacher_predictions={store.directory} has {store.num_classes} "
                       f"classes, but --num_classes={num_classes}.")
    self._store = store
    ids = np.asarray(store.ids)
    repeated = video_ids.repeated(ids)
    if repeated is not None:
      raise ValueError(
          f"--teacher_predictions={store.directory} has the video "
          f"{video_ids.as_text(repeated)} more than once: predict records in which "
          "each video is there once.")
    self._rows = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(ids, tf.string), tf.range(len(ids), dtype=tf.int64)),
        default_value=-1)

  def attach(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Adds `teacher` to every batch: (batch_size, num_classes) float32 scores.

    The store keeps the best k classes of a video; the other classes have the score 0.

    Args:
      dataset: Batches of a reader, of whole videos.

    Raises:
      tf.errors.InvalidArgumentError: While reading, for a video that is not in the
        store; inside `records.clear_errors()`, a `records.RecordError`.
    """
    return dataset.map(
        lambda batch: {**batch, "teacher": self._scores(batch["id"])},
        num_parallel_calls=tf.data.AUTOTUNE, deterministic=True,
    ).prefetch(tf.data.AUTOTUNE)

  def _scores(self, ids: tf.Tensor) -> tf.Tensor:
    rows = self._rows.lookup(ids)

    def unknown(ids, rows):
      video_id = video_ids.as_text(ids[np.argmax(rows < 0)])
      return (f"Video {video_id} is not in --teacher_predictions="
              f"{self._store.directory}: write the predictions of all the records of "
              "--train_data_pattern.").encode()

    def stop():
      message = tf.numpy_function(unknown, [ids, rows], tf.string, stateful=False)
      return tf.debugging.Assert(False, [message])

    with tf.control_dependencies([tf.cond(tf.reduce_all(rows >= 0), tf.no_op, stop)]):
      scores = tf.numpy_function(
          self._store.dense_rows, [tf.identity(rows)], tf.float32, stateful=False)
    return tf.ensure_shape(scores, [ids.shape[0], self._store.num_classes])


def check(loss: losses.LabelLoss, model: models.VideoModel, weight: float,
          segment_labels: bool) -> None:
  """Checks that a training can be combined with distillation.

  Args:
    loss: Loss of `yt8m.models.losses`.
    model: Model to train.
    weight: Value of `--teacher_weight`.
    segment_labels: Whether examples are segments.

  Raises:
    ValueError: It cannot; the error names the flag and the remedy.
  """
  if not 0 <= weight <= 1:
    raise ValueError(f"--teacher_weight={weight} must lie between 0 and 1.")
  if segment_labels:
    raise ValueError("--teacher_predictions are of whole videos: drop --segment_labels.")
  soft_labels.check(loss, model, "--teacher_predictions")
