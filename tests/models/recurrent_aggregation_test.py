# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Aggregations by recurrences, put together by hand from their parts."""

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


def test_hierarchical_rnn_reads_chunks_then_their_vectors():
  layer = models.HierarchicalRnn(units=5, chunk_size=3)
  found = layer(frames(), frame_mask=MASK)
  for row, length in enumerate(LENGTHS):
    x = frames()[row:row + 1, :length]
    vectors = [layer.read_frames(x[:, start:start + 3])[1][0]
               for start in range(0, length, 3)]
    h = layer.read_chunks(tf.stack(vectors, axis=1))[1][0]
    np.testing.assert_allclose(found[row], h[0], atol=1e-6)


def test_chunks_longer_than_the_video_are_one_lstm():
  layer = models.HierarchicalRnn(units=5, chunk_size=100)
  found = layer(frames())
  vectors = layer.read_frames(frames())[1][0]
  h = layer.read_chunks(vectors[:, tf.newaxis])[1][0]
  np.testing.assert_allclose(found, h, atol=1e-6)


@pytest.mark.parametrize(("option", "states"), [(models.Lstm, "ch"), (models.Gru, "h")])
def test_states_are_those_of_all_layers_and_end_with_the_last_output(option, states):
  layer = option(units=5, num_layers=2, output="states")
  found = layer(frames(), frame_mask=MASK)
  assert found.shape == (3, 2 * len(states) * 5)
  last = option(units=5, num_layers=2)
  last(frames())
  last.set_weights(layer.get_weights())
  np.testing.assert_array_equal(last(frames(), frame_mask=MASK), found[:, -5:])
  lower = layer.stack[0](frames(), frame_mask=MASK)[1]
  np.testing.assert_array_equal(
      found[:, :5 * len(states)], np.concatenate(lower[::-1], axis=-1))


def test_unknown_output_is_an_error_that_lists_the_valid_ones():
  with pytest.raises(ValueError, match="Unknown output 'mean'. Valid: last, states"):
    models.Gru(output="mean")


@pytest.mark.parametrize("option", [models.Lstm, models.Gru, models.Blstm,
                                    models.HierarchicalRnn])
def test_a_row_without_frames_is_finite(option):
  assert np.all(np.isfinite(option(units=5)(frames(), frame_mask=MASK & False)))
