# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A video that lacks a modality is scored by the others."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.core import feature_spec
from yt8m.core import numerics
from yt8m.models.fusion import late
from yt8m.models.layers import input_features
from yt8m.models.layers import masking

SPEC = feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "frame")
FRAMES = 5


def batch(*, silent):
  rng = np.random.default_rng(0)
  features = {name: rng.integers(1, 256, (2, FRAMES, size), dtype=np.uint8)
              for name, size in zip(SPEC.names, SPEC.sizes, strict=True)}
  features["audio"][silent] = 0
  return {"features": features, "num_frames": np.array([FRAMES, 3])}


def test_its_frames_are_zeros_and_not_the_least_value():
  inputs = batch(silent=1)
  mask = masking.frame_mask(inputs["num_frames"], FRAMES)
  layer = input_features.InputFeatures(SPEC.names, "none")
  rgb, audio = layer(inputs["features"], frame_mask=mask)
  assert not np.any(audio[1]) and np.all(np.any(audio[0], axis=-1))
  np.testing.assert_array_equal(rgb[1, 3:], np.zeros((2, 8)))
  assert np.all(np.any(rgb[1, :3], axis=-1))


def test_one_byte_is_enough_to_be_there():
  inputs = batch(silent=1)
  inputs["features"]["audio"][1, 2, 3] = 1
  layer = input_features.InputFeatures(SPEC.names, "none")
  _, audio = layer(inputs["features"], frame_mask=masking.frame_mask([5, 3], FRAMES))
  np.testing.assert_array_equal(audio[1, 0], np.full(4, numerics.OFFSET, np.float32))


@pytest.mark.parametrize("fusion", [
    "sum", "attention", {"name": "late1", "fusion": "sum"}, "late2"])
def test_what_stands_for_it_has_no_effect(fusion):
  """Biases and weights of the missing modality may be anything."""
  tf.keras.utils.set_random_seed(0)
  model = models.VideoModel(6, SPEC, fusion=fusion, aggregation="mean").build_variables()
  inputs = batch(silent=1)
  before = model(inputs, training=False)["predictions"]
  changed = 0
  for variable in model.weights:
    name = variable.path if hasattr(variable, "path") else variable.name
    if fusion == "late2" and "theta" in name:
      variable.assign_add([[0.0] * 6, [3.0] * 6])  # more trust in audio
    elif "bias" in name and variable.shape[-1] == 512:
      variable.assign_add(tf.ones_like(variable) * (changed > 0))  # that of audio
    else:
      continue
    changed += 1
  after = model(inputs, training=False)["predictions"]
  np.testing.assert_allclose(after[1], before[1], atol=1e-6)
  if fusion != "attention":
    assert changed and np.abs(after[0] - before[0]).max() > 1e-4


def test_attention_neither_gives_nor_takes():
  tf.keras.utils.set_random_seed(0)
  model = models.VideoModel(6, SPEC, fusion="attention", aggregation="mean")
  outputs = model(batch(silent=1), training=False)
  for name in ("attention_over_0", "attention_over_1"):
    assert not np.any(outputs[name][1]) and np.any(outputs[name][0])


def test_late_fusion_of_the_modalities_that_are_there():
  fusion = late.LateFusion2()
  scores = [tf.fill([3, 2], 0.2), tf.fill([3, 2], 0.6)]
  fused, _ = fusion(scores, is_there=tf.constant(
      [[True, True], [True, False], [False, False]]))
  np.testing.assert_allclose(fused[:, 0], [0.4, 0.2, 0.4], atol=1e-6)


def test_dbof_stays_finite_with_a_video_without_frames():
  tf.keras.utils.set_random_seed(0)
  model = models.VideoModel(6, SPEC, aggregation={
      "name": "dbof", "clusters": 8, "units": 4, "activation": "relu"})
  inputs = batch(silent=1) | {"num_frames": np.array([FRAMES, 0])}
  assert np.all(np.isfinite(model(inputs, training=True)["predictions"]))
  assert all(np.all(np.isfinite(v)) for v in model.weights if v.dtype != "uint32")
