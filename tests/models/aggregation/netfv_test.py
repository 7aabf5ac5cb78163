# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fisher vectors; tests/models/willow_parity_test.py has the reference code."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.aggregation import netfv
from yt8m.models.layers import masking


def unit(x, axis=None):
  return x / np.linalg.norm(x, axis=axis, keepdims=axis is not None)


@pytest.mark.parametrize("coupling", [0.01, 0.0])
def test_numpy_twin_with_mask(coupling):
  """Sums over frames of both moments, as the equations have them."""
  lengths = [6, 2]
  x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
  layer = netfv.FisherPooling(clusters=3, coupling=coupling)
  found, intermediates = layer(
      tf.constant(x), frame_mask=masking.frame_mask(lengths, 6))
  kernel = layer.assign.score.kernel.numpy()
  centres = coupling * kernel if coupling else layer.free_centres.numpy()
  deviation = layer.spread.numpy() ** 2 + 1e-6
  for row, length in enumerate(lengths):
    frames = x[row, :length]
    scores = np.exp(frames @ kernel / np.sqrt(1.001))
    a = scores / scores.sum(-1, keepdims=True)
    distances = (frames[:, :, None] - centres) / deviation
    first = np.einsum("tk,tdk->dk", a, distances)
    second = np.einsum("tk,tdk->dk", a, distances ** 2 - 1)
    expected = np.concatenate(
        [unit(unit(first, axis=0).ravel()), unit(second.ravel())])
    np.testing.assert_allclose(found[row], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(intermediates["assignments"][row, length:], 0)
