# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Signatures of a simple scoring function; writer_test.py exports models."""

import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from yt8m.artifacts.saved_model import Contract
from yt8m.export.saved_models import signatures


def contract(level):
  return Contract(descriptors.SPECS[level], descriptors.MAX_FRAMES, 3)


def count(inputs):
  """Scores that are easy to check: numbers of frames, and sums of both features."""
  return {"predictions": tf.stack([
      tf.cast(inputs["num_frames"], tf.float32),
      *(tf.reduce_sum(tf.cast(x, tf.float32), axis=range(1, x.shape.rank))
        for x in inputs["features"].values())], axis=1)}


@pytest.mark.parametrize("level", descriptors.SPECS)
def test_any_function_is_served(level):
  batch = descriptors.batch(level)
  made = signatures.make(contract(level), count, top_k=3)
  assert list(made) == ["serving_default", "predict_full", "predict_features"]
  if level == "video":
    batch["num_frames"] = tf.ones_like(batch["num_frames"])
  expected = count(batch)["predictions"].numpy()
  serving.assert_answers(made, batch, level, expected)
  none = tf.nest.map_structure(lambda x: x[:0], batch)
  serving.assert_answers(made, none, level, expected[:0])


def test_steps_are_served_where_there_are_some():
  def steps(inputs):
    predictions = count(inputs)["predictions"]
    return {"predictions": predictions,
            "step_predictions": tf.stack([0 * predictions, predictions], axis=1)}

  predict = signatures.make(contract("video"), steps, top_k=1)["predict_steps"]
  features = descriptors.batch("video")["features"]
  first, last = (predict(num_steps=tf.constant(n), **features)["predictions"].numpy()
                 for n in (1, 2))
  assert not first.any() and last.all()


@pytest.mark.parametrize("top_k", [0, 4])
def test_top_k_beyond_the_classes_is_refused(top_k):
  with pytest.raises(ValueError, match=f"--top_k={top_k} must be between 1 and .* 3"):
    signatures.make(contract("video"), count, top_k)
