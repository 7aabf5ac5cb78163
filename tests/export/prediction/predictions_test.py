# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Batches of videos and of segments go through the model as they should."""

import numpy as np
import tensorflow as tf

from yt8m.export.prediction import predictions


def batch(lengths, max_frames):
  rng = np.random.default_rng(sum(lengths))
  x = rng.integers(1, 256, (len(lengths), max_frames, 3), dtype=np.uint8)
  x[np.arange(max_frames) >= np.array(lengths)[:, None]] = 0
  return {"id": tf.constant([f"v{i}" for i in range(len(lengths))]),
          "features": {"x": tf.constant(x)}, "num_frames": tf.constant(lengths),
          "labels": tf.zeros([len(lengths), 2], tf.bool)}


class Model:
  """Returns sums of the frames and their number; records its batch sizes."""

  def __init__(self):
    self.sizes = []

  def __call__(self, inputs):
    assert set(inputs) == {"features", "num_frames"}
    self.sizes.append(len(inputs["num_frames"]))
    sums = tf.reduce_sum(tf.cast(inputs["features"]["x"], tf.float32), [1, 2])
    return tf.stack([sums, tf.cast(inputs["num_frames"], tf.float32)], 1)


def test_videos_and_a_lone_one_with_a_copy_of_itself():
  model, batches = Model(), [batch([3, 5], 5), batch([4], 4)]
  found = list(predictions.of_videos(model, batches))
  assert [count for _, _, count in found] == [2, 1] and model.sizes == [2, 2]
  for (ids, scores, _), one in zip(found, batches, strict=True):
    np.testing.assert_array_equal(ids, one["id"].numpy())
    np.testing.assert_array_equal(
        scores[:, 0], one["features"]["x"].numpy().astype(float).sum((1, 2)))


def test_segments_of_five_frames():
  model, videos = Model(), batch([12, 3, 5], 12)
  found = list(predictions.of_segments(model, [videos], 2))
  assert sum(count for _, _, count in found) == 3
  assert model.sizes == [2, 2, 2]  # of the last, one is a copy
  ids = np.concatenate([ids for ids, _, _ in found]).astype(str).tolist()
  assert ids == ["v0:0", "v0:5", "v0:10", "v1:0", "v2:0"]
  sums, lengths = np.concatenate([scores for _, scores, _ in found]).T
  assert lengths.tolist() == [5, 5, 2, 3, 5]
  x = videos["features"]["x"].numpy().astype(float).sum(2)
  assert sums.tolist() == [x[0, :5].sum(), x[0, 5:10].sum(), x[0, 10:].sum(), x[1].sum(),
                           x[2].sum()]
