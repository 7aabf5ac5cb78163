# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The mean of the valid frames."""

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking


def test_mean_of_valid_frames_by_hand():
  x = tf.constant([[[1.0], [3.0], [100.0]], [[5.0], [100.0], [100.0]]])
  mask = masking.frame_mask(tf.constant([2, 1]), 3)
  np.testing.assert_array_equal(models.Mean()(x, frame_mask=mask), [[2.0], [5.0]])
  np.testing.assert_allclose(models.Mean()(x), [[104 / 3], [205 / 3]], rtol=1e-6)
