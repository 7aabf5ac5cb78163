# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ordering by length changes neither scores nor their order, for every option."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m.core import registry
from yt8m.eval.predictions import by_length
from yt8m.models import prediction

STEP, MAX_FRAMES = 4, 19
FRAME_CASES = descriptors.chosen(
    case for case, (level, _) in descriptors.all_models().items() if level == "frame")


@pytest.fixture(autouse=True)
def small_step(monkeypatch):
  monkeypatch.setattr(by_length, "STEP", STEP)


def window(counts, seed=0, max_frames=MAX_FRAMES):
  """Returns batches of `counts` videos, padded with zeros."""
  rng = np.random.default_rng(seed)
  spec, batches = descriptors.SPECS["frame"], []
  for count in counts:
    num_frames = rng.integers(1, max_frames + 1, count)
    features = {}
    for name, size in zip(spec.names, spec.sizes, strict=True):
      x = rng.integers(0, 256, (count, max_frames, size), np.uint8)
      x[np.arange(max_frames) >= num_frames[:, None]] = 0
      features[name] = tf.constant(x)
    batches.append({"id": tf.constant([f"v{i}" for i in range(count)]),
                    "features": features, "num_frames": tf.constant(num_frames, tf.int32),
                    "labels": tf.zeros([count, descriptors.NUM_CLASSES], tf.bool)})
  return batches


@pytest.mark.parametrize("case", FRAME_CASES)
def test_scores_are_those_without_an_order(case):
  model = descriptors.build(case)
  descriptors.randomize(model)
  batches, seen = window([5, 5, 3]), []

  def predict(inputs):
    seen.append(inputs["features"]["rgb"].shape[:2])
    return model(inputs, training=False)["predictions"]

  found = by_length.scores(predict, batches, 5)
  assert [shape[0] for shape in seen] == [3, 5, 5]
  assert seen[0][1] < seen[-1][1] <= MAX_FRAMES
  for batch, scores in zip(batches, found, strict=True):
    expected = model(prediction.model_inputs(batch), training=False)["predictions"]
    assert scores.shape == expected.shape
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def lengths(inputs):
  """A model that tells videos apart, and whether their padding is zero."""
  assert set(inputs) == {"features", "num_frames"}
  sums = [tf.reduce_sum(tf.cast(x, tf.float32), axis=[1, 2])
          for x in inputs["features"].values()]
  return tf.stack([*sums, tf.cast(inputs["num_frames"], tf.float32)], axis=1)


@pytest.mark.parametrize("counts", [[1], [4], [3, 1], [4, 4, 4, 2], [2, 0, 3]])
@pytest.mark.parametrize("batch_size", [1, 3, 4, 100])
def test_every_video_is_predicted_once_with_all_its_frames(counts, batch_size):
  batches, sizes = window(counts), []

  def predict(inputs):
    sizes.append(inputs["features"]["rgb"].shape)
    return lengths(inputs)

  for batch, scores in zip(batches, by_length.scores(predict, batches, batch_size),
                           strict=True):
    np.testing.assert_array_equal(scores, lengths(prediction.model_inputs(batch)))
  assert sum(size[0] for size in sizes) == sum(counts)
  assert max(size[0] for size in sizes) <= batch_size
  assert all(size[1] % STEP == 0 or size[1] == MAX_FRAMES for size in sizes)


def test_batches_of_different_width_are_joined():
  batches = window([3], max_frames=19) + window([3], seed=1, max_frames=6)
  found = by_length.scores(lengths, batches, 2)
  for batch, scores in zip(batches, found, strict=True):
    np.testing.assert_array_equal(scores, lengths(prediction.model_inputs(batch)))


def test_few_frames_and_none_are_predicted_as_they_are():
  calls = []

  def predict(inputs):
    calls.append(len(inputs["num_frames"]))
    return tf.zeros([calls[-1], 2])

  by_length.scores(predict, window([5, 3], max_frames=STEP), 2)
  video = {"features": {"rgb": tf.zeros([7, 8])}, "num_frames": tf.ones([7], tf.int32)}
  by_length.scores(predict, [video], 2)
  assert calls == [5, 3, 7]
  assert by_length.scores(predict, [], 2) == []


def traces(predict):
  return [function.experimental_get_tracing_count() for function in predict.functions]


def test_full_batches_have_a_graph_for_each_width_and_others_one_together():
  model = descriptors.build("aggregation-lstm")
  predict = by_length.compiled(model, 4)
  for seed in range(6):
    by_length.scores(predict, window([4, 4, seed % 4], seed), 4)
  static, of_any_shape = traces(predict)
  assert 1 < static <= -(-MAX_FRAMES // STEP)
  assert of_any_shape == 1


@pytest.mark.parametrize("case", ["aggregation-lstm", "classifier-moe"])
def test_compiled_equals_the_model(case):
  model, level = descriptors.build(case), descriptors.all_models()[case][0]
  predict = by_length.compiled(model, 5)
  for rows in (5, 3):
    batch = descriptors.batch(level, rows)
    np.testing.assert_allclose(
        predict(batch), model(prediction.model_inputs(batch))["predictions"], atol=1e-6)
  assert traces(predict) == [1, 1]


def test_evaluation_orders_a_batch_unless_code_is_the_users_own():
  model = descriptors.build("aggregation-mean")
  [batch] = window([7])
  expected = model(prediction.model_inputs(batch))["predictions"]
  np.testing.assert_allclose(
      by_length.evaluation_function(model, 7)(batch), expected, atol=1e-6)
  with registry.allow_code(["a.module"]):
    np.testing.assert_allclose(
        by_length.evaluation_function(model, 7)(batch), expected, atol=1e-6)
