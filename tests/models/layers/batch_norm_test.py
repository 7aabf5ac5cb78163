# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation: a numpy twin, masks, and Keras' layer where the two agree."""

import numpy as np
import tensorflow as tf

from yt8m.models.layers import batch_norm

keras = tf.keras


def test_numpy_twin_with_mask():
  rng = np.random.default_rng(0)
  x = rng.normal(2.0, 3.0, (4, 5, 6)).astype(np.float32)
  mask = rng.random((4, 5)) < 0.6
  layer = batch_norm.BatchNorm(decay=0.9, epsilon=1e-3)
  y = layer(tf.constant(x), frame_mask=tf.constant(mask), training=True)
  rows = x[mask].astype(np.float64)
  mean, variance = rows.mean(0), rows.var(0)
  np.testing.assert_allclose(
      y, (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-5)
  np.testing.assert_allclose(
      layer.moving_variance, 0.9 + 0.1 * rows.var(0, ddof=1), rtol=1e-5)


def test_gradients_equal_those_of_the_plain_operations():
  rng = np.random.default_rng(3)
  x, weights = (tf.constant(rng.normal(2.0, 3.0, (4, 5, 6)), tf.float32) for _ in "xw")
  mask = tf.constant(rng.random((4, 5)) < 0.6)
  layer = batch_norm.BatchNorm()
  layer(x)
  layer.gamma.assign(rng.random(6))
  with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    found = tf.reduce_sum(weights * layer(x, frame_mask=mask, training=True))
    mean, variance = tf.nn.moments(tf.boolean_mask(x, mask), 0)
    plain = tf.reduce_sum(weights * tf.nn.batch_normalization(
        x, mean, variance, layer.beta, layer.gamma, layer.epsilon))
  variables = [x, *layer.trainable_variables]
  for ours, theirs in zip(tape.gradient(found, variables),
                          tape.gradient(plain, variables), strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_inference_equals_keras():
  rng = np.random.default_rng(1)
  ours, theirs = batch_norm.BatchNorm(), keras.layers.BatchNormalization(epsilon=1e-3)
  x = tf.constant(rng.normal(size=(7, 5)), tf.float32)
  weights = [rng.random(5).astype(np.float32) + 0.5 for _ in range(4)]
  for layer in (ours, theirs):
    layer(x)
    layer.set_weights(weights)
  np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-5, atol=1e-6)


def test_a_large_mean_does_not_cancel_the_variance():
  x = tf.constant(np.random.default_rng(2).normal(1e4, 1.0, (1000, 1)), tf.float32)
  layer = batch_norm.BatchNorm()
  assert abs(float(tf.math.reduce_std(layer(x, training=True))) - 1) < 0.01


def test_a_batch_without_a_valid_row_is_finite():
  layer = batch_norm.BatchNorm()
  y = layer(tf.ones((2, 3, 4)), frame_mask=tf.zeros((2, 3), tf.bool), training=True)
  assert np.all(np.isfinite(y))


def test_a_frozen_layer_keeps_its_statistics():
  x = tf.constant(np.random.default_rng(3).normal(5.0, 2.0, (9, 4)), tf.float32)
  layer = batch_norm.BatchNorm()
  expected = layer(x)
  layer.trainable = False
  np.testing.assert_array_equal(layer(x, training=True), expected)
  np.testing.assert_array_equal(layer.moving_mean, np.zeros(4))
