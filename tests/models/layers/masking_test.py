# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks, and the reductions that ignore padded frames."""

import numpy as np
import tensorflow as tf

from yt8m.models.layers import masking


def test_padding_may_hold_anything():
  x = tf.constant([[[1.0], [np.nan]]])
  mask = masking.frame_mask(tf.constant([1]), 2)
  assert masking.masked_mean(x, mask).numpy() == [[1.0]]
  assert masking.masked_max(x, mask).numpy() == [[1.0]]
