# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The network over pairs against numpy, and where it starts."""

import numpy as np
import tensorflow as tf

from yt8m.models.calibration import pair_calibrator


def make(units=5):
  layer = pair_calibrator.PairCalibrator(3, units)
  layer.build((None, 3))
  return layer


def test_the_network():
  layer, rng = make(), np.random.default_rng(0)
  layer.set_weights([rng.uniform(0.5, 1, size=w.shape) for w in layer.get_weights()])
  features = rng.normal(size=(2, 4, 3)).astype(np.float32)
  x = h = (features - layer.mean.numpy()) / layer.scale.numpy()
  for hidden in layer.hidden:
    h = np.maximum(h @ hidden.kernel.numpy() + hidden.bias.numpy(), 0)
  expected = (x @ layer.linear.kernel.numpy() + layer.linear.bias.numpy()
              + h @ layer.output_weights.kernel.numpy())[..., 0]
  np.testing.assert_allclose(layer(tf.constant(features)), expected, rtol=1e-5)


def test_it_starts_as_one_of_the_features():
  features = np.random.default_rng(0).normal(3, 7, size=(100, 3)).astype(np.float32)
  features[:, 2] = 4  # does not vary
  layer = make()
  layer.start_from(features, 1, seed=2)
  np.testing.assert_allclose(layer(tf.constant(features)), features[:, 1], rtol=1e-4,
                             atol=1e-4)
  other = make()
  other.start_from(features, 1, seed=2)
  for one, two in zip(layer.get_weights(), other.get_weights(), strict=True):
    np.testing.assert_array_equal(one, two)
