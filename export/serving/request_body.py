# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The body of a request: unpacked, and small enough to be parsed."""

import contextlib
import zlib
from collections.abc import Iterator

from yt8m.export.serving import rest_api

# A list in Python takes 56 bytes and more for the two of `[]`. A request of 512 videos
# with 300 frames has 300,000 lists; one of 170,000 records has as many values as this.
MAX_VALUES = 2**19
_GZIP = 16 + zlib.MAX_WBITS  # a header and a checksum, as in a .gz file


# Bodies of the largest size that a replica holds at the same time.
MAX_BODIES = 8


class Budget:
  """Bytes of all bodies that a replica holds, from the first byte to the answer.

  Args:
    max_bytes: Largest number of bytes of one body; `MAX_BODIES` times that is held.
  """

  def __init__(self, max_bytes: int):
    self._max_bytes, self._free = max_bytes, MAX_BODIES * max_bytes

  @contextlib.contextmanager
  def reserve(self, length: str, encoding: str) -> Iterator[None]:
    """Holds the bytes of a body while the block runs.

    Args:
      length: Value of the header `Content-Length`.
      encoding: Value of the header `Content-Encoding`. What is compressed, or has no
        length, may become as large as `max_bytes`.

    Raises:
      rest_api.RestError: 503. There is no room now.
    """
    known = length.isdecimal() and encoding.strip().lower() in ("", "identity")
    num_bytes = min(int(length), self._max_bytes) if known else self._max_bytes
    if num_bytes > self._free:
      raise rest_api.RestError(
          503, "The bodies of the requests that wait have "
          f"{MAX_BODIES * self._max_bytes:,} bytes together. Try again, or send fewer "
          "videos at once.")
    self._free -= num_bytes
    try:
      yield
    finally:
      self._free += num_bytes


def inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
  """Returns the content of a body that may be compressed by gzip.

  Args:
    body: Body of the HTTP request.
    encoding: Value of the header `Content-Encoding`.
    max_bytes: Largest number of bytes of the content.

  Raises:
    rest_api.RestError: 413, the content is larger; 400, it is damaged; 415, it has
      another encoding.
  """
  encoding = encoding.strip().lower()
  if encoding in ("", "identity"):
    return body
  if encoding not in ("gzip", "x-gzip"):
    raise rest_api.RestError(415, f"Content-Encoding: {encoding[:80]} is not accepted. "
                             "Send gzip, or no encoding.")
  unpacker = zlib.decompressobj(_GZIP)
  try:
    content = unpacker.decompress(body, max_bytes + 1)
  except zlib.error as error:
    raise rest_api.RestError(
        400, f"The body is not what gzip writes: {error}.") from error
  if len(content) > max_bytes:
    raise rest_api.RestError(
        413, f"The body unpacks to more than {max_bytes:,} bytes. Send fewer videos at "
        "once, or start the server with a larger --max_body_mib.")
  if not unpacker.eof or unpacker.unused_data:
    raise rest_api.RestError(
        400, "The body is not what gzip writes: it is cut, or something follows.")
  return content


def check(body: bytes) -> None:
  """Refuses a body that would take many times its size in memory when it is parsed.

  Raises:
    rest_api.RestError: 413. It has more than `MAX_VALUES` lists, objects and texts.
  """
  values = body.count(b"[") + body.count(b"{") + body.count(b'"') // 2
  if values > MAX_VALUES:
    raise rest_api.RestError(
        413, f"The body has {values:,} lists, objects and texts; {MAX_VALUES:,} are "
        "accepted. Send fewer videos at once.")
