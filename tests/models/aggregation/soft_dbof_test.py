# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Soft bag of frames; tests/models/willow_parity_test.py has the reference code."""

import pytest
import tensorflow as tf

from yt8m import models


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="max_pool=True and gated=True"):
    models.SoftBagOfFrames(clusters=4, max_pool=True, gated=True)(tf.zeros((1, 2, 3)))
