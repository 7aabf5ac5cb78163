# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Random features against the Gaussian kernel."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.layers import base
from yt8m.models.layers import random_features


def gaussian(x, y, bandwidth):
  squares = ((x[:, None] - y) ** 2).sum(axis=-1)
  return np.exp(-squares / (2 * bandwidth ** 2))


@pytest.mark.parametrize("dim", [3, 40])
def test_products_are_the_kernel(dim):
  x = np.random.default_rng(0).normal(size=(6, dim)).astype(np.float32)
  layer = random_features.RandomFeatures(20000, bandwidth=dim ** 0.5)
  features = layer(x).numpy()
  np.testing.assert_allclose(
      features @ features.T, gaussian(x, x, dim ** 0.5), atol=0.03)
  layer.set_bandwidth(3.0 * dim ** 0.5)
  features = layer(x).numpy()
  np.testing.assert_allclose(
      features @ features.T, gaussian(x, x, 3 * dim ** 0.5), atol=0.03)


def test_rows_are_orthogonal_in_blocks_and_as_long_as_normal_vectors():
  directions, phases = random_features.draw(50, 120, np.random.default_rng(0))
  assert directions.shape == (50, 120) and phases.shape == (120,)
  for start in (0, 50, 100):
    block = directions[:, start:start + 50]
    products = block.T @ block
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-9)
  np.testing.assert_allclose((directions ** 2).sum() / 120, 50, rtol=0.05)


def test_nothing_is_trained_and_the_seed_decides():
  one, same, other = (base.built(random_features.RandomFeatures(9, seed=seed), None, 4)
                      for seed in (0, 0, 1))
  assert not one.trainable_variables
  np.testing.assert_array_equal(one.directions, same.directions)
  assert np.all(one.directions.numpy() != other.directions.numpy())
  assert one(tf.zeros((2, 4), tf.bfloat16)).dtype == tf.float32


def test_median_distance():
  x = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])  # 5, 1 and √18
  assert random_features.median_distance(x) == pytest.approx(18 ** 0.5)
  assert random_features.median_distance(x[:1]) == 1
  assert random_features.median_distance(np.ones((4, 2))) == 1
