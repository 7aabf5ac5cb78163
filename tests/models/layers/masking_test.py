# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks, and the reductions that ignore padded frames."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.layers import masking


@pytest.fixture(params=[False, True], ids=["product", "XLA"])
def masked_mean(request):
  return tf.function(masking.masked_mean, jit_compile=request.param)


def test_padding_may_hold_anything(masked_mean):
  x = tf.constant([[[1.0], [np.nan]]])
  mask = masking.frame_mask(tf.constant([1]), 2)
  assert masked_mean(x, mask).numpy() == [[1.0]]
  assert masking.masked_max(x, mask).numpy() == [[1.0]]


def test_the_mean_is_that_of_the_valid_frames(masked_mean):
  x = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
  lengths = np.array([5, 2, 0])
  with tf.GradientTape() as tape:
    frames = tf.Variable(x)
    mean = masked_mean(frames, masking.frame_mask(lengths, 5))
    total = tf.reduce_sum(mean)
  expected = [x[0].mean(axis=0), x[1, :2].mean(axis=0), np.zeros(4)]
  np.testing.assert_allclose(mean, expected, atol=1e-6)
  gradient = np.zeros_like(x)
  gradient[0], gradient[1, :2] = 1 / 5, 1 / 2
  np.testing.assert_allclose(tape.gradient(total, frames), gradient, atol=1e-7)


def test_gradients_ignore_what_padding_holds(masked_mean):
  for value in (np.nan, np.inf):
    x = tf.constant([[[1.0], [value]]])
    mask = masking.frame_mask(tf.constant([1]), 2)
    with tf.GradientTape(persistent=True) as tape:
      tape.watch(x)
      mean, padded = masked_mean(x, mask), masking.zero_padding(x, mask)
    for y in (mean, padded):
      np.testing.assert_array_equal(tape.gradient(y, x), [[[1.0], [0.0]]])


@pytest.mark.parametrize("dtype", [tf.uint8, tf.float32])
def test_a_modality_is_there_if_any_valid_frame_is_not_zero(dtype):
  x = np.zeros((4, 3, 2))
  x[0] = 1
  x[1, 2, 1] = 5  # The first frame is silent.
  x[2, 1:] = 7    # Padding.
  mask = masking.frame_mask(tf.constant([3, 3, 1, 3]), 3)
  found = masking.is_there(tf.cast(x, dtype), mask)
  np.testing.assert_array_equal(tf.squeeze(found), [True, True, False, False])
  np.testing.assert_array_equal(  # No video lacks it.
      tf.squeeze(masking.is_there(tf.cast(x[:2], dtype))), [True, True])
