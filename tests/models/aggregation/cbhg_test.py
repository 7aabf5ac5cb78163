# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""CBHG and its parts: highway layer, convolution over frames."""

import numpy as np
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models.aggregation import cbhg
from yt8m.models.layers import masking

keras = tf.keras


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def test_highway_numpy_twin():
  x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
  layer = cbhg.Highway()
  layer.build(x.shape)
  descriptors.randomize(layer)
  kernel, bias = layer.transform.get_weights()
  gate_kernel, gate_bias = layer.gate.get_weights()
  gate = sigmoid(x @ gate_kernel + gate_bias)
  expected = gate * np.maximum(x @ kernel + bias, 0) + (1 - gate) * x
  np.testing.assert_allclose(layer(x), expected, rtol=1e-5)


def test_a_closed_highway_carries():
  x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
  np.testing.assert_allclose(cbhg.Highway(gate_bias=-50.0)(x), x, rtol=1e-6)
  layer = cbhg.Highway()
  layer.build(x.shape)
  np.testing.assert_array_equal(layer.gate.bias, -1)


def convolve(x, kernel):
  """`y_t = Σ_i W_i x_{t + i − ⌈k/2⌉}`, i from 1 to k, 0 outside."""
  k = len(kernel)
  before = (k + 1) // 2 - 1
  padded = np.pad(x, [(before, k - 1 - before), (0, 0)])
  return np.stack([sum(padded[t + i] @ kernel[i] for i in range(k))
                   for t in range(len(x))])


def test_frame_convolution_numpy_twin_with_mask():
  rng = np.random.default_rng(0)
  lengths = [6, 3]
  x = rng.normal(size=(2, 6, 4)).astype(np.float32)
  mask = masking.frame_mask(tf.constant(lengths), 6)
  for width in (1, 2, 3, 8):
    layer = cbhg.FrameConvolution(5, width, "relu")
    found = layer(x, frame_mask=mask, training=True)
    kernel = layer.convolve.kernel.numpy()
    rows = [convolve(x[row, :n], kernel) for row, n in enumerate(lengths)]
    valid = np.concatenate(rows)
    mean, variance = valid.mean(0), valid.var(0)
    for row, n in enumerate(lengths):
      expected = np.maximum((rows[row] - mean) / np.sqrt(variance + 1e-3), 0)
      np.testing.assert_allclose(found[row, :n], expected, rtol=1e-3, atol=1e-5)
      np.testing.assert_array_equal(found[row, n:], 0)


def test_cbhg_of_identities():
  """With bank and projections at 0 and closed highways, it is a GRU over embeddings."""
  lengths = tf.constant([5, 2])
  x = np.random.default_rng(0).normal(size=(2, 5, 6)).astype(np.float32)
  mask = masking.frame_mask(lengths, 5)
  layer = models.Cbhg(units=3, bank_size=2, num_highways=2)
  layer.build((None, None, 6))
  layer.projections[-1].norm.gamma.assign(tf.zeros(3))
  for closed in layer.highways:
    closed.gate.bias.assign(tf.fill([3], -50.0))
  embedded = masking.zero_padding(layer.embed(x), mask)
  reference = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True))
  reference.build((None, None, 3))
  reference.set_weights(layer.gru.get_weights())
  expected = masking.masked_mean(reference(embedded, mask=mask), mask)
  np.testing.assert_allclose(layer(x, frame_mask=mask), expected, atol=1e-5)


def test_the_pool_looks_one_frame_ahead():
  """The bank at t sees t, and its maximum t and t + 1, so the first frame sees two."""
  layer = models.Cbhg(units=2, bank_size=1, num_highways=0)
  x = np.random.default_rng(0).normal(size=(1, 4, 3)).astype(np.float32)
  layer.build((None, None, 3))
  bank = layer.bank[0](layer.embed(x)).numpy()
  pooled = []
  layer.projections[0].call = lambda p, **_: pooled.append(p) or p
  layer(x)
  ahead = np.concatenate([bank[:, 1:], bank[:, -1:]], axis=1)
  np.testing.assert_allclose(pooled[0], np.maximum(bank, ahead), rtol=1e-6)


def test_the_sizes_of_the_paper():
  layer = models.Cbhg()
  layer.build((None, None, 1152))
  assert [tuple(c.convolve.kernel.shape) for c in layer.bank] == [
      (width, 128, 128) for width in range(1, 17)]
  assert [tuple(c.convolve.kernel.shape) for c in layer.projections] == [
      (3, 16 * 128, 128), (3, 128, 128)]
  assert len(layer.highways) == 4


def test_row_without_frames():
  layer = models.Cbhg(units=3, bank_size=2, num_highways=1)
  found = layer(tf.ones([2, 4, 5]), frame_mask=masking.frame_mask([0, 3], 4),
                training=True)
  np.testing.assert_array_equal(found[0], 0)
  assert np.all(np.isfinite(found))
