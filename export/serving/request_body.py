# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The body of a request: unpacked, and small enough to be parsed."""

import asyncio
import contextlib
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from yt8m.export.serving import rest_api

# A list in Python takes 56 bytes and more for the two of `[]`. A request of 512 videos
# with 300 frames has 300,000 lists; one of 170,000 records has as many values as this.
MAX_VALUES = 2**19
_GZIP = 16 + zlib.MAX_WBITS  # a header and a checksum, as in a .gz file


# Bodies of the largest size that a replica holds at the same time.
MAX_BODIES = 8


class Budget:
  """Bytes of all bodies that a process holds, from the first byte to the answer.

  Args:
    max_bytes: Largest number of bytes of one body.
    num_replicas: Number of replicas for which bodies are held; for each of them,
      `MAX_BODIES` bodies of the largest size.
  """

  def __init__(self, max_bytes: int, num_replicas: int = 1):
    self._max_bytes = self._free = MAX_BODIES * max_bytes * num_replicas

  @contextlib.contextmanager
  def share(self) -> Iterator[Callable[[int], None]]:
    """Holds the bytes of one body until the end of the block.

    Yields:
      A function that takes a number of further bytes. They are taken as they arrive, so
      that a connection that sends nothing keeps nobody out. It raises
      `rest_api.RestError`, 503, if there is no room now.
    """
    held = 0

    def take(num_bytes: int) -> None:
      nonlocal held
      if num_bytes > self._free:
        raise rest_api.RestError(
            503, "The bodies of the requests that wait have "
            f"{self._max_bytes:,} bytes together. Try again, or send fewer "
            "videos at once.")
      self._free -= num_bytes
      held += num_bytes

    try:
      yield take
    finally:
      self._free += held


async def read(request: Any, max_bytes: int, take: Callable[[int], None],
               seconds: float) -> bytes:
  """Returns the body of a request without its compression.

  Args:
    request: Request of Starlette.
    max_bytes: Largest number of bytes of a body, compressed or not.
    take: Function of `Budget.share`. It is also called with the largest number that a
      compressed body may unpack to.
    seconds: Seconds in which the body must arrive.

  Raises:
    rest_api.RestError: That of `receive` or of `inflate`.
  """
  body = await receive(request, max_bytes, take, seconds)
  encoding = request.headers.get("content-encoding", "").strip().lower()
  if encoding in ("", "identity"):
    return body
  take(max_bytes)
  return inflate(body, encoding, max_bytes)


async def receive(request: Any, max_bytes: int, take: Callable[[int], None],
                  seconds: float) -> bytes:
  """Returns the body of a request as it is sent.

  Args:
    request: Request of Starlette.
    max_bytes: Largest number of bytes of a body. Hardly more is read.
    take: Function that is called with the number of bytes of each piece that arrives.
    seconds: Seconds in which the body must arrive.

  Raises:
    rest_api.RestError: 413, the body is larger than `max_bytes`; 408, it did not arrive
      in time.
  """
  too_large = rest_api.RestError(
      413, f"The body has more than {max_bytes:,} bytes. Send fewer videos at once, or "
      "start the server with a larger --max_body_mib.")
  length = request.headers.get("content-length", "0").lstrip("0") or "0"
  # The digits are counted first: Python refuses to convert thousands of them.
  if len(length) > 20 or not length.isdecimal() or int(length) > max_bytes:
    raise too_large
  body = bytearray()

  async def read_pieces() -> None:
    async for chunk in request.stream():
      take(len(chunk))
      body.extend(chunk)
      if len(body) > max_bytes:
        raise too_large

  try:
    await asyncio.wait_for(read_pieces(), seconds)
  except asyncio.TimeoutError as error:  # The built-in one from Python 3.11 on.
    raise rest_api.RestError(
        408, f"The body did not arrive in {seconds:g} seconds. Send it at once, or start "
        "the server with a larger --request_timeout_s.") from error
  return bytes(body)


def inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
  """Returns the content of a body that is compressed by gzip.

  Args:
    body: Body of the HTTP request.
    encoding: Value of the header `Content-Encoding`, in lower case.
    max_bytes: Largest number of bytes of the content.

  Raises:
    rest_api.RestError: 413, the content is larger; 400, it is damaged; 415, it has
      another encoding.
  """
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
