# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Quantisation and log-odds, by their definitions."""

import math

import numpy as np
import pytest

from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from yt8m.core import numerics


def test_bytes_stand_for_the_centres_of_their_buckets():
  q = np.arange(256, dtype=np.uint8)
  x = numerics.dequantize(q)
  assert x.dtype == np.float32
  np.testing.assert_allclose(
      x, [value * 4 / 255 + 4 / 512 - 2 for value in range(256)], rtol=0, atol=3e-7)
  np.testing.assert_array_equal(numerics.quantize(x), q)


def test_values_are_rounded_to_the_nearest_byte_and_clipped():
  values = np.random.default_rng(0).uniform(-1.99, 2.0, size=1000)
  back = numerics.dequantize(numerics.quantize(values))
  assert np.abs(back - values).max() <= 2 / 255 + 1e-6
  np.testing.assert_array_equal(numerics.quantize(np.array([-9.0, 9.0])), [0, 255])


def test_a_range_has_its_ends_at_0_and_255():
  values = np.linspace(-5.0, 8.0, 1001)
  q = numerics.quantize(values, (-3.0, 6.18))
  assert (q[values < -2.99] == 0).all() and (q[values > 6.17] == 255).all()
  back = numerics.dequantize(q, (-3.0, 6.18))
  np.testing.assert_allclose(back, np.clip(values, -3.0, 6.18), atol=9.18 / 510 + 1e-6)
  assert back.min() == -3 and back.max() == pytest.approx(6.18)


@needs_goldens
def test_bytes_have_the_values_of_the_starter_code():
  golden, _ = load_golden("reader_utils")
  np.testing.assert_allclose(numerics.dequantize(np.arange(256, dtype=np.uint8)),
                             golden["dequantize_0_255"], atol=1e-6)


def test_logit_by_hand():
  assert numerics.logit(0.75, 1e-6) == pytest.approx(math.log(3))
  low, high = numerics.logit(np.array([0.0, 1.0]), 1e-6)
  assert low == pytest.approx(math.log(1e-6 / (1 - 1e-6))) and high == pytest.approx(-low)
  low, high = numerics.logit(np.array([0.0, 1.0]), 1e-7, 1e-3)
  assert low == pytest.approx(math.log(1e-7)) and high == pytest.approx(math.log(999))
  assert numerics.logit(np.float32([0.5]), 1e-6).dtype == np.float32
