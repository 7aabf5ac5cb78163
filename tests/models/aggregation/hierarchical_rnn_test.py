# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The hierarchical RNN, compared with a composition of its parts."""

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking

LENGTHS = [7, 3, 1]
MASK = masking.frame_mask(tf.constant(LENGTHS), 7)


def frames(seed=0):
  return tf.constant(np.random.default_rng(seed).normal(size=(3, 7, 4)), tf.float32)


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


def test_a_row_without_frames_is_finite():
  layer = models.HierarchicalRnn(units=5)
  assert np.all(np.isfinite(layer(frames(), frame_mask=MASK & False)))
