# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of a model, batch by batch, for videos or for their segments."""

import tensorflow as tf

from yt8m.data import segment_reader
from yt8m.models import prediction


def of_videos(predict, dataset):
  """Predicts whole videos.

  Args:
    predict: function from a batch to its scores, (batch_size, num_classes).
    dataset: batches of a reader.

  Yields:
    Ids (batch_size,) bytes, scores (batch_size, num_classes), a tensor, and the number
    of videos.
  """
  for batch in dataset:
    ids = batch["id"].numpy()
    yield ids, _scores(predict, prediction.model_inputs(batch)), len(ids)


def of_segments(predict, dataset, batch_size):
  """Predicts the five-frame segments of every video, from its first frame on.

  Args:
    predict: the same, of a frame-level model.
    dataset: batches of a frame-level reader.
    batch_size: segments that go through the model at a time.

  Yields:
    Ids `video:start` (n,) bytes, scores (n, num_classes), and the number of videos
    they come from.
  """
  for batch in dataset:
    features, num_frames, rows_and_starts = segment_reader.split_into_segments(
        batch["features"], batch["num_frames"])
    videos, starts = tf.unstack(rows_and_starts, axis=1)
    ids = tf.strings.join([tf.gather(batch["id"], videos), tf.strings.as_string(starts)],
                          ":").numpy()
    for first in range(0, len(ids), batch_size):
      rows = slice(first, first + batch_size)
      scores = _scores(predict, {
          "features": {name: x[rows] for name, x in features.items()},
          "num_frames": num_frames[rows]})
      yield ids[rows], scores, len(batch["id"]) if first == 0 else 0


def _scores(predict, inputs):
  """Scores whose bits do not depend on the number of threads.

  TensorFlow splits the sum of a matrix times a vector among its threads, the sums of a
  matrix times a matrix never: a lone row goes with a copy of itself.
  """
  if len(inputs["num_frames"]) > 1:
    return predict(inputs)
  return predict(tf.nest.map_structure(lambda x: tf.repeat(x, 2, axis=0), inputs))[:1]
