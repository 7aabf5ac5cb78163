# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks, and the reductions that ignore padded frames."""

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking


def test_mean_of_valid_frames_by_hand():
  x = tf.constant([[[1.0], [3.0], [100.0]], [[5.0], [100.0], [100.0]]])
  mask = masking.frame_mask(tf.constant([2, 1]), 3)
  np.testing.assert_array_equal(models.Mean()(x, frame_mask=mask), [[2.0], [5.0]])
  np.testing.assert_allclose(models.Mean()(x), [[104 / 3], [205 / 3]], rtol=1e-6)


def test_padding_may_hold_anything():
  x = tf.constant([[[1.0], [np.nan]]])
  mask = masking.frame_mask(tf.constant([1]), 2)
  assert masking.masked_mean(x, mask).numpy() == [[1.0]]
  assert masking.masked_max(x, mask).numpy() == [[1.0]]
