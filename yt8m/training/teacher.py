# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of a teacher, such as an ensemble, for the videos that a model is trained on."""

import numpy as np
import tensorflow as tf


class Teacher:
  """Adds to every batch what a store of predictions says of its videos.

  The join is by video id: a hash table has the row of every video in memory (about 100
  bytes each), the scores are read from the memory map as batches need them. Order and
  number of the batches stay what they were.

  Args:
    store: `PredictionStore` of the records trained on.
    num_classes: C.

  Raises:
    ValueError: the store has other classes.

  Reference: Hinton et al. 2015 (arXiv:1503.02531), the soft targets.
  """

  def __init__(self, store, num_classes):
    if store.num_classes != num_classes:
      raise ValueError(f"--teacher_predictions={store.directory} has {store.num_classes} "
                       f"classes, but --num_classes={num_classes}.")
    self._store = store
    ids = np.asarray(store.ids)  # of which none is there twice
    self._rows = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(ids, tf.string), tf.range(len(ids), dtype=tf.int64)),
        default_value=-1)

  def attach(self, dataset):
    """Gives every batch `teacher`: (batch_size, num_classes) float32 scores.

    A class of which the store holds no score, since it keeps the best k of a video, has
    the score 0.

    Args:
      dataset: batches of a reader, of whole videos.

    Returns:
      The same dataset with that entry besides.

    Raises:
      tf.errors.InvalidArgumentError: while reading, for a video that is not in the
        store; a `records.RecordError` inside `records.clear_errors()`.
    """
    return dataset.map(
        lambda batch: {**batch, "teacher": self._scores(batch["id"])},
        num_parallel_calls=tf.data.AUTOTUNE, deterministic=True,
    ).prefetch(tf.data.AUTOTUNE)

  def _scores(self, ids):
    rows = self._rows.lookup(ids)
    unknown = tf.boolean_mask(ids, rows < 0)[:1]  # of none, if all are known
    with tf.control_dependencies([tf.debugging.Assert(
        tf.reduce_all(rows >= 0), [tf.strings.join([
            "Video ", unknown, f" is not in --teacher_predictions={self._store.directory}"
            ": write the predictions of all the records of --train_data_pattern."])])]):
      scores = tf.numpy_function(
          self._store.dense_rows, [tf.identity(rows)], tf.float32, stateful=False)
    return tf.ensure_shape(scores, [ids.shape[0], self._store.num_classes])


def check(loss, model, weight, segment_labels):
  """Refuses what distillation cannot be combined with.

  Args:
    loss: of `yt8m.models.losses`.
    model: `VideoModel`.
    weight: `--teacher_weight`.
    segment_labels: whether examples are segments.

  Raises:
    ValueError: names the flag and the remedy.
  """
  if not 0 <= weight <= 1:
    raise ValueError(f"--teacher_weight={weight} must lie between 0 and 1.")
  if segment_labels:
    raise ValueError("--teacher_predictions are of whole videos: drop --segment_labels.")
  if not getattr(loss, "soft_labels", False):
    raise ValueError(f"--label_loss: {type(loss).__name__} takes no soft labels, as the "
                     "scores of --teacher_predictions are: choose CrossEntropyLoss.")
  if any(c.uses_labels for branch in model.branches for c in branch.classifiers):
    raise ValueError(f"--classifier: {type(model.classifier).__name__} is shown the "
                     "labels in training, so that its scores there cannot be compared "
                     "with those of --teacher_predictions: choose another.")
