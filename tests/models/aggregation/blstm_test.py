# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The residual BLSTM, compared with a composition of its parts."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking

LENGTHS = [7, 3, 1]
MASK = masking.frame_mask(tf.constant(LENGTHS), 7)


def frames(seed=0):
  return tf.constant(np.random.default_rng(seed).normal(size=(3, 7, 4)), tf.float32)


@pytest.mark.parametrize("skip", [True, False])
def test_blstm_is_the_mean_of_the_frames_it_adds_to(skip):
  layer = models.Blstm(units=5, skip=skip)
  found = layer(frames(), frame_mask=MASK)
  [block] = layer.stack
  kernel, bias = [w.numpy() for w in block.project.weights]
  for row, length in enumerate(LENGTHS):
    x = frames()[row:row + 1, :length]
    forward, _ = block.both.forward(x)
    backward, _ = block.both.backward(x)
    y = np.concatenate([forward, backward], axis=-1)[0] @ kernel + bias
    np.testing.assert_allclose(found[row], np.mean(y + skip * x[0], axis=0), atol=1e-6)


def test_blstm_normalises_each_layer_over_the_values_of_a_frame():
  layer = models.Blstm(units=5, num_layers=3, layer_norm=True)
  found, x = layer(frames()), frames()
  for block in layer.stack:
    y = (x + block.project(block.both(x)[0])).numpy()
    centred = y - y.mean(axis=-1, keepdims=True)
    x = tf.constant(centred / np.sqrt(y.var(axis=-1, keepdims=True) + 1e-3))
  np.testing.assert_allclose(found, tf.reduce_mean(x, axis=1), atol=1e-5)


def test_blstm_drops_states_in_training_only():
  layer = models.Blstm(units=5, dropout=0.9)
  x = frames()
  np.testing.assert_array_equal(layer(x), layer(x))
  assert np.any(layer(x, training=True) != layer(x, training=True))


def test_a_row_without_frames_is_zero():
  layer = models.Blstm(units=5)
  layer(frames())
  layer.stack[-1].project.bias.assign(tf.ones(4))
  assert not np.any(layer(frames(), frame_mask=MASK & False))
