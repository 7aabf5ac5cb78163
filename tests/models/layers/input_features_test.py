# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Dequantisation, masking and normalisation, compared with a numpy twin."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.models.layers import input_features

keras = tf.keras


@support.needs_goldens
def test_dequantize_equals_the_starter_code():
  golden, _ = support.load_golden("reader_utils")
  [found] = input_features.InputFeatures(["x"], "none")(
      {"x": tf.cast(tf.range(256), tf.uint8)[tf.newaxis]})
  np.testing.assert_allclose(found[0], golden["dequantize_0_255"], rtol=1e-6, atol=1e-7)


def test_bytes_of_a_range():
  q = np.array([[[0, 128, 255], [51, 0, 0]]], np.uint8)
  layer = input_features.InputFeatures(["x", "y"], "none", ranges={"x": (-1.0, 4.1)})
  x, y = layer({"x": tf.constant(q), "y": tf.constant(q)},
               frame_mask=tf.constant([[True, False]]))
  np.testing.assert_allclose(x, [[[-1, 1.56, 4.1], [0, 0, 0]]], rtol=1e-6)
  np.testing.assert_allclose(y, twin([q], np.array([1]), "none"), rtol=1e-5)
  again = input_features.InputFeatures.from_config(layer.get_config())
  assert again.ranges == {"x": (-1.0, 4.1)}


@support.needs_goldens
def test_l2_equals_the_starter_code():
  golden, _ = support.load_golden("reader_utils")
  [found] = input_features.InputFeatures(["x"])(
      {"x": tf.constant(golden["l2_normalize_in"])})
  np.testing.assert_allclose(found, golden["l2_normalize_out"], rtol=1e-6)


def twin(features, num_frames, normalization):
  x = np.concatenate([f.astype(np.float64) * 4 / 255 + 4 / 512 - 2 for f in features], -1)
  x[np.arange(x.shape[1]) >= num_frames[:, None]] = 0
  norm = np.sqrt(np.maximum(np.sum(x**2, -1, keepdims=True), 1e-12))
  if normalization == "none":
    return x
  return x / norm * (np.sqrt(x.shape[-1]) if normalization == "rms" else 1)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("normalization", input_features.NORMALIZATIONS)
def test_numpy_twin(normalization, jit_compile):
  rng = np.random.default_rng(0)
  rgb, audio = [rng.integers(0, 256, (3, 5, d), np.uint8) for d in (6, 4)]
  num_frames = np.array([5, 1, 3])
  layer = input_features.InputFeatures(["rgb", "audio"], normalization)
  found = tf.function(layer, jit_compile=jit_compile)(
      {"audio": tf.constant(audio), "rgb": tf.constant(rgb)},
      frame_mask=tf.sequence_mask(num_frames, 5))
  np.testing.assert_allclose(np.concatenate(found, -1),
                             twin([rgb, audio], num_frames, normalization),
                             rtol=1e-5, atol=1e-6)


def test_half_precision_is_only_the_output():
  keras.mixed_precision.set_global_policy("mixed_bfloat16")
  try:
    layer = input_features.InputFeatures(["x"], "none")
    [found] = layer({"x": tf.constant([[1.0]])})
  finally:
    keras.mixed_precision.set_global_policy("float32")
  assert found.dtype == tf.bfloat16


def test_a_missing_feature_is_named():
  with pytest.raises(ValueError, match=r"no feature 'audio'; it has \['rgb'\]"):
    input_features.InputFeatures(["rgb", "audio"])({"rgb": tf.zeros((1, 3))})
