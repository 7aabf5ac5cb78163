# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Pairs of rows are mixed, each by its own share."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.layers import mixing


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, bool])
def test_equals_its_equation(rows, dtype):
  rng = np.random.default_rng(rows)
  values = (rng.random((rows, 3)) * 2).astype(dtype)
  shares = rng.random((rows, 1)).astype(np.float32)
  others = [min(row + 1 if row % 2 == 0 else row - 1, rows - 1) for row in range(rows)]
  mixed = mixing.mix(values, shares)
  assert mixed.dtype == (tf.float16 if dtype == np.float16 else tf.float32)
  expected = shares * values + (1 - shares) * values[others]
  np.testing.assert_allclose(mixed, expected, rtol=2e-3 if dtype == np.float16 else 1e-6)


def test_halves_of_a_batch_have_its_pairs():
  rng = np.random.default_rng(0)
  values, shares = rng.random((8, 3), np.float32), rng.random((8, 1), np.float32)
  np.testing.assert_array_equal(
      mixing.mix(values, shares),
      tf.concat([mixing.mix(values[i:i + 4], shares[i:i + 4]) for i in (0, 4)], axis=0))


def test_without_shares_nothing_is_touched():
  values = np.eye(2, dtype=bool)
  assert mixing.mix(values, None) is values
