# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion frame by frame: sums of projections, and differences between frames."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models.layers import masking

LENGTHS = np.array([5, 2])


def inputs():
  rng = np.random.default_rng(0)
  mask = masking.frame_mask(tf.constant(LENGTHS), 5)
  return [masking.zero_padding(tf.constant(rng.normal(size=(2, 5, d)), tf.float32), mask)
          for d in (4, 3)], mask


def test_sum_is_the_sum_of_projections():
  features, mask = inputs()
  layer = models.Sum(units=5)
  layer(features, frame_mask=mask)
  layer.projections[0].bias.assign(np.ones(5))
  v, a = [x.numpy() for x in features]
  w, u = [p.kernel.numpy() for p in layer.projections]
  expected = v @ w + a @ u + 1
  np.testing.assert_allclose(layer(features), expected, rtol=1e-4, atol=1e-5)
  expected[~mask.numpy()] = 0
  np.testing.assert_allclose(layer(features, frame_mask=mask), expected,
                             rtol=1e-4, atol=1e-5)


def test_differences_of_frames():
  features, mask = inputs()
  found, _ = models.Differential()(features, frame_mask=mask)
  x = np.concatenate([f.numpy() for f in features], axis=-1)
  for row, n in enumerate(LENGTHS):
    np.testing.assert_array_equal(found[row, :n, :7], x[row, :n])
    np.testing.assert_array_equal(found[row, 0, 7:], 0)
    np.testing.assert_allclose(found[row, 1:n, 7:], np.diff(x[row, :n], axis=0),
                               rtol=1e-6)
    np.testing.assert_array_equal(found[row, n:], 0)


def test_differential_wraps_any_fusion():
  features, mask = inputs()
  layer = models.Differential(fusion={"name": "sum", "units": 6})
  assert layer(features, frame_mask=mask)[0].shape == (2, 5, 12)


@pytest.mark.parametrize("fusion", ["attention", "differential"])
def test_video_level_features_are_refused(fusion):
  with pytest.raises(ValueError, match="video-level|two modalities"):
    models.VideoModel(4, descriptors.SPECS["video"], fusion=fusion)
