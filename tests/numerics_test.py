# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every option stays finite: short, empty and extreme videos, and half precision."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m.models import losses
from yt8m.models import prediction

keras = tf.keras

MODELS = descriptors.all_models()
CASES = descriptors.chosen(MODELS)
FRAME_CASES = [case for case in CASES if MODELS[case][0] == "frame"]


@pytest.fixture(autouse=True)
def float32_policy():
  keras.utils.set_random_seed(0)
  yield
  keras.mixed_precision.set_global_policy("float32")


def check_finite(model, batch):
  """Scores, loss, gradients and moving averages are finite, in training and after."""
  with tf.GradientTape() as tape:
    p = model(prediction.training_inputs(batch), training=True)["predictions"]
    loss = tf.reduce_mean(losses.CrossEntropyLoss().call(batch["labels"], p))
    loss += tf.add_n([tf.cast(x, tf.float32) for x in model.losses] or [0.0])
  assert np.isfinite(loss)
  for variable, gradient in zip(
      model.trainable_variables, tape.gradient(loss, model.trainable_variables),
      strict=True):
    if gradient is not None:
      assert np.all(np.isfinite(tf.convert_to_tensor(gradient))), variable.name
  for weight in model.weights:
    assert np.all(np.isfinite(weight)), weight.name
  p = model(prediction.model_inputs(batch))["predictions"]
  assert np.all((p >= 0) & (p <= 1))


def batches(level):
  """Batches that real data, or errors in it, can hold."""
  rows = 3
  extreme = {"video": lambda x, value: tf.fill(x.shape, value),
             "frame": lambda x, value: tf.fill(x.shape, tf.cast(value, tf.uint8))}[level]

  def filled(value):
    batch = descriptors.batch(level, rows)
    return {**batch, "features": {
        name: extreme(x, value) for name, x in batch["features"].items()}}

  if level == "video":
    # Large sums overflow float32 in squares; mean features lie in [-2, 2].
    yield from map(filled, (0.0, 1e4, -1e4))
  else:
    for num_frames in ([1, 1, 1], [0, 2, 7], [0, 0, 0]):
      yield descriptors.batch(level, rows, num_frames=np.array(num_frames))
    yield filled(255)
  batch = descriptors.batch(level, rows)
  yield {**batch, "labels": tf.zeros_like(batch["labels"])}


@pytest.mark.parametrize("case", descriptors.chosen(MODELS, variants=True))
def test_odd_batches(case):
  model = descriptors.build(case)
  for batch in batches(MODELS[case][0]):
    check_finite(model, batch)


@pytest.mark.parametrize("case", CASES)
def test_extreme_weights(case):
  """Weights a hundred times as large as at the start saturate every activation."""
  model = descriptors.build(case)
  descriptors.randomize(model)
  for variable in model.trainable_variables:
    variable.assign(100.0 * variable)
  check_finite(model, descriptors.batch(MODELS[case][0], 3))


@pytest.mark.parametrize("case", FRAME_CASES)
def test_short_videos_in_half_precision(case):
  keras.mixed_precision.set_global_policy("mixed_float16")
  model = descriptors.build(case)
  for num_frames in ([1, 1, 1], [0, 2, 7]):
    check_finite(model, descriptors.batch("frame", 3, num_frames=np.array(num_frames)))
