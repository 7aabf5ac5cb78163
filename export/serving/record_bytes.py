# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Explains what was sent in place of the bytes of a record.

A serialized `Example` or `SequenceExample` begins with the tag of its first field, the
byte 0A or 12. Only what is certainly something else is refused here: the model says what
is wrong with other records.
"""

import base64
import binascii
import re

# Name of the input of the signatures that read records.
INPUT = "example_bytes"

_TAGS = (b"\x0a", b"\x12")
_GZIP = b"\x1f\x8b"
_FRAMING_BYTES = 16  # of a record in a TFRecord file, 12 of them before the record
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_SEEN = 256  # bytes that are looked at


def fault(record: bytes) -> str:
  """Returns why bytes are no record and what to send, or `""`.

  Args:
    record: Value of the input `INPUT`, of which the beginning is looked at.
  """
  if _is_framed(record):
    return ("is a TFRecord file: send its records one by one, each as {\"b64\": …}, as "
            "tf.data.TFRecordDataset returns them.")
  if record.startswith(_GZIP):
    return "is compressed with gzip: send the serialized record as it is."
  decoded = _from_base64(record)
  if decoded.startswith((*_TAGS, _GZIP)) or _is_framed(decoded, len(record)):
    return ('is base64 text in place of a record: send {"b64": "<base64 of the record>"},'
            " encoded once.")
  return ""


def _is_framed(record: bytes, size: int | None = None) -> bool:
  """Returns whether bytes begin like a TFRecord file: with the length of a record."""
  # In a record, the name of a feature follows, so that these four bytes are not all 0.
  length = int.from_bytes(record[:8], "little")
  return (len(record) >= _FRAMING_BYTES and 0 < length < 2**32
          and length + _FRAMING_BYTES <= (size or len(record))
          and record[12:13] in _TAGS)


def _from_base64(record: bytes) -> bytes:
  """Returns the beginning of what base64 text, of either alphabet, stands for, or b""."""
  start = b"".join(record[:_SEEN].split())
  if not _BASE64.fullmatch(start):
    return b""
  start = start.rstrip(b"=")
  try:
    return base64.b64decode(start[:len(start) // 4 * 4].translate(
        bytes.maketrans(b"-_", b"+/")))
  except binascii.Error:
    return b""
