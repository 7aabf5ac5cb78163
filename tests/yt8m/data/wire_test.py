# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Lengths and fields as protocol buffers have them."""

import pytest
import tensorflow as tf

from yt8m.data import wire


@pytest.mark.parametrize("value", [0, 1, 127, 128, 1024, 16383, 16384, 2**30])
def test_digits_and_length_are_inverse(value):
  assert wire.length(wire.digits(value) + b"\x05", 0) == (value, len(wire.digits(value)))


def test_field_is_that_of_a_message():
  content = tf.train.BytesList(value=[b"x" * 300])
  assert wire.field(wire.FIRST, b"x" * 300) == content.SerializeToString()


def test_too_many_digits():
  with pytest.raises(ValueError, match="more than five digits"):
    wire.length(b"\xff" * 9, 0)


def test_a_field_has_its_tag():
  data = wire.field(wire.FIRST, b"abc")
  assert wire.content(data, 0, wire.FIRST) == (2, 5)
  with pytest.raises(ValueError, match=f"at byte 0 is {wire.FIRST}, expected "
                     f"{wire.SECOND}"):
    wire.content(data, 0, wire.SECOND)
