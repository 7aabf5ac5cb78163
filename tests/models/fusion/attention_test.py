# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion by attention across two modalities."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.core import feature_spec
from yt8m.models.layers import masking

LENGTHS = np.array([5, 2])


def inputs():
  rng = np.random.default_rng(0)
  mask = masking.frame_mask(tf.constant(LENGTHS), 5)
  return [masking.zero_padding(tf.constant(rng.normal(size=(2, 5, d)), tf.float32), mask)
          for d in (4, 3)], mask


def softmax(x):
  e = np.exp(x - x.max(-1, keepdims=True))
  return e / e.sum(-1, keepdims=True)


def test_attention_numpy_twin():
  features, mask = inputs()
  layer = models.CrossModalAttention()
  found, maps = layer(features, frame_mask=mask)
  w1, w2 = layer.audio_under_video.numpy(), layer.video_under_audio.numpy()
  for row, n in enumerate(LENGTHS):
    v, a = [x.numpy()[row, :n] for x in features]
    alpha, beta = softmax(v @ w1 @ a.T), softmax(a @ w2 @ v.T)
    expected = np.concatenate([v + beta @ v, a + alpha @ a], axis=-1)
    np.testing.assert_allclose(found[row, :n], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found[row, n:], 0)
    np.testing.assert_allclose(maps["attention_over_1"][row, :n, :n], alpha, rtol=1e-4)
    np.testing.assert_allclose(maps["attention_over_0"][row, :n, :n], beta, rtol=1e-4)


def test_attention_is_one_mebibyte_larger_than_concatenation():
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
  sizes = [models.VideoModel(2, spec, fusion=fusion, aggregation="mean")
           .build_variables().count_params() for fusion in ("attention", "concat")]
  assert (sizes[0] - sizes[1]) * 4 == 2**20


def test_attention_maps_come_out_of_the_model():
  spec = descriptors.SPECS["frame"]
  model = models.VideoModel(4, spec, fusion="attention", aggregation="mean")
  outputs = model(descriptors.batch("frame"))
  assert outputs["attention_over_1"].shape == (5, 7, 7)


@pytest.mark.parametrize("names, sizes", [(("rgb",), (4,)), (("a", "b", "c"), (4, 3, 2))])
def test_attention_needs_two_modalities(names, sizes):
  spec = feature_spec.FeatureSpec(names, sizes, "frame")
  with pytest.raises(ValueError, match="two modalities"):
    models.VideoModel(4, spec, fusion="attention", aggregation="mean")
