# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Deep bag of frames; tests/models/starter_parity_test.py has the reference code."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking


@pytest.mark.parametrize("pooling, pool", [("max", np.max), ("average", np.mean)])
def test_numpy_twin_with_mask(pooling, pool):
  lengths = [6, 2]
  x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
  layer = models.DeepBagOfFrames(clusters=5, units=3, pooling=pooling,
                                 activation="relu6", use_batch_norm=False)
  found = layer(tf.constant(x), frame_mask=masking.frame_mask(lengths, 6))
  (w1, b1), (w2, b2) = layer.to_clusters.get_weights(), layer.to_units.get_weights()
  for row, length in enumerate(lengths):
    clusters = np.clip(x[row, :length] @ w1 + b1, 0, 6)
    expected = np.clip(pool(clusters, axis=0) @ w2 + b2, 0, 6)
    np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-6)


def test_an_unknown_pooling_names_the_flag():
  with pytest.raises(ValueError, match="'min'. Valid: .* Set it with --dbof_pooling"):
    models.DeepBagOfFrames(pooling="min")
