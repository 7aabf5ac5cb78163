# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Compact bilinear pooling, compared with the outer product that it sketches."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking


def features(*dims, rows=4, frames=3, seed=0):
  rng = np.random.default_rng(seed)
  return [tf.constant(rng.normal(size=(rows, frames, d)), tf.float32) for d in dims]


def sketch(outer, layer):
  """Count sketch of an outer product: bucket Σ h_m mod units, sign Π s_m."""
  y = np.zeros(layer.units)
  for index, value in np.ndenumerate(outer):
    bucket = sum(b[i] for b, i in zip(layer._buckets, index, strict=True))
    sign = np.prod([s[i] for s, i in zip(layer._signs, index, strict=True)])
    y[bucket % layer.units] += sign * value
  y = np.sign(y) * np.sqrt(np.abs(y))
  return y / np.linalg.norm(y)


@pytest.mark.parametrize("dims", [(5, 3), (4,), (3, 2, 2)])
def test_is_the_count_sketch_of_the_outer_product(dims):
  xs = features(*dims)
  layer = models.CompactBilinear(units=16, homogeneous=False)
  found = np.asarray(layer(xs))
  for place in [(0, 0), (3, 2)]:
    vectors = [x.numpy()[place] for x in (xs * 2 if len(xs) == 1 else xs)]
    outer = vectors[0]
    for vector in vectors[1:]:
      outer = np.multiply.outer(outer, vector)
    np.testing.assert_allclose(found[place], sketch(outer, layer), atol=1e-3)


def test_inner_products_estimate_those_of_the_outer_products():
  xs = [tf.math.l2_normalize(x, axis=-1) for x in features(6, 5, rows=200)]
  layer = models.CompactBilinear(units=4096, homogeneous=False)
  layer.build([x.shape for x in xs])
  spectra = [tf.signal.rfft(layer._sketch(x, b, s)) for x, b, s in
             zip(xs, layer._buckets, layer._signs, strict=True)]
  y = tf.signal.irfft(spectra[0] * spectra[1]).numpy().reshape(-1, 4096)
  v, a = [x.numpy().reshape(600, -1) for x in xs]
  exact = (v @ v.T) * (a @ a.T)
  assert np.abs(y @ y.T - exact).max() < 0.1


def test_homogeneous_constant_keeps_first_order_terms():
  """If one modality is zero, the other only passes because of the constant."""
  v, _ = features(4, 3)
  zero = tf.zeros((4, 3, 3))
  assert not np.any(models.CompactBilinear(16, homogeneous=False)([v, zero]))
  assert np.ptp(models.CompactBilinear(16)([v, zero])) > 0.1


def test_seed_is_all_that_a_reloaded_layer_needs():
  xs = features(5, 3)
  layer = models.CompactBilinear(units=16, seed=7)
  clone = models.CompactBilinear.from_config(layer.get_config())
  np.testing.assert_array_equal(layer(xs), clone(xs))
  other = models.CompactBilinear(units=16, seed=8)
  assert np.abs(layer(xs) - other(xs)).max() > 0.1
  assert not layer.weights


def test_gradient_is_finite_where_the_sketch_is_zero():
  x = tf.zeros((1, 2, 3))
  with tf.GradientTape() as tape:
    tape.watch(x)
    y = models.CompactBilinear(8, homogeneous=False)([x, x])
  assert np.all(np.isfinite(tape.gradient(y, x)))


def test_padded_frames_are_zero_and_vectors_are_taken():
  xs = features(5, 3)
  mask = masking.frame_mask(tf.constant([3, 1, 2, 3]), 3)
  y = models.CompactBilinear(16)(xs, frame_mask=mask).numpy()
  assert not np.any(y[~mask.numpy()]) and np.all(np.any(y[mask.numpy()], axis=-1))
  layer = models.CompactBilinear(16)
  vectors, frames = (np.asarray(z) for z in (layer([x[:, 0] for x in xs]), layer(xs)))
  # Squared again, because the root amplifies rounding errors near 0.
  np.testing.assert_allclose(vectors * np.abs(vectors), (frames * np.abs(frames))[:, 0],
                             rtol=1e-4, atol=1e-6)
