# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The encoding of protocol buffers, as far as records need it.

A field is a tag, the length of its content and the content. Lengths are digits of base
128, the lowest first, 128 added to all but the last.

Reference: protobuf.dev, "Encoding".
"""

from typing import Any

FIRST, SECOND = 0x0A, 0x12  # tags of fields 1 and 2 that have a length


def digits(value: int) -> bytes:
  """Returns a length as it is written.

  >>> from yt8m.data import wire
  >>> wire.digits(1024).hex()
  '8008'
  """
  found = bytearray()
  while value > 127:
    found.append(value & 127 | 128)
    value >>= 7
  return bytes([*found, value])


def length(data: Any, start: int) -> tuple[int, int]:
  """Returns the length that is written at `start`, and where it ends.

  Args:
    data: Bytes, or a memoryview of bytes.
    start: Place of the first digit.

  Raises:
    IndexError: The data end before it does.
    ValueError: It has more digits than a length can have.
  """
  digit = data[start]
  if digit < 128:
    return digit, start + 1
  value, shift, place = digit & 127, 7, start + 1
  while True:
    digit = data[place]
    place += 1
    value |= (digit & 127) << shift
    if digit < 128:
      return value, place
    shift += 7
    if shift > 28:
      raise ValueError("A length has more than five digits.")


def content(data: Any, start: int, tag: int) -> tuple[int, int]:
  """Returns where the content of the field at `start` begins and ends.

  Args:
    data: Bytes, or a memoryview of bytes.
    start: Place of the tag.
    tag: Tag that the field must have.

  Raises:
    IndexError: The data end before the content begins.
    ValueError: The field has another tag, or its length is too long.
  """
  if data[start] != tag:
    raise ValueError(f"The tag at byte {start} is {data[start]}, expected {tag}.")
  size, first = length(data, start + 1)
  return first, first + size


def field(tag: int, content: bytes) -> bytes:
  """Returns a field."""
  return bytes([tag]) + digits(len(content)) + content
