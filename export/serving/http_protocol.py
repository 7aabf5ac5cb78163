# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What uvicorn's protocol lacks: limits of the headers of a request, errors in JSON."""

import asyncio
import http
from collections.abc import Callable
from typing import Any

from yt8m.export.serving import rest_api

# Seconds in which the headers of a request must arrive, and their largest size.
_HEADERS_S = 10.0
_HEADERS_BYTES = 2**16
_LINE_BYTES = 4  # of a header, besides its name and its value


def limited(base: Any, refuse: Callable[[int], object] = bool,
            seconds: float = _HEADERS_S) -> Any:
  """Returns a protocol of uvicorn with limits for the headers of a request.

  What uvicorn answers itself is in JSON, and counted.

  uvicorn waits for ever for the headers of a request. Here a connection is closed if,
  from one look to the next, no request was in progress and none was awaited after an
  answer, for which uvicorn has a limit of its own. It is closed, too, when the headers of
  a request have more than `_HEADERS_BYTES` bytes.

  Args:
    base: Protocol of uvicorn.
    refuse: Function that is called with the status of an answer to what is no request:
      headers that are too large, or that are not those of HTTP.
    seconds: Seconds between two looks.
  """

  # That of h11 has no such methods, and a limit of its own.
  counts = hasattr(base, "on_message_begin")

  class Protocol(base):
    """The protocol of one connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:
      super().connection_made(transport)
      # Bytes of headers since a request or a piece of a body came: also of those after a
      # body (trailers), and of requests that come before others are answered.
      self._num_bytes = self._num_events = 0
      self._in_body = False
      self.loop.call_later(seconds, self._look, transport, (None, True))

    def on_message_begin(self) -> None:
      self._count(0)
      super().on_message_begin()

    def on_body(self, body: bytes) -> None:
      self._count(0, in_body=True)
      super().on_body(body)

    def on_header(self, name: bytes, value: bytes) -> None:
      self._count(self._num_bytes + len(name) + len(value) + _LINE_BYTES)
      super().on_header(name, value)

    def _count(self, num_bytes: int, in_body: bool = False) -> None:
      self._num_bytes, self._in_body = num_bytes, in_body
      self._num_events += 1

    def data_received(self, data: bytes) -> None:
      before = self._num_events
      super().data_received(data)
      # What has no end of a line yet is not passed to `on_header`.
      if self._num_events == before:
        self._num_bytes += len(data)
      elif not self._in_body:
        self._num_bytes += len(data) - (data.rfind(b"\n") + 1)
      if counts and self._num_bytes > _HEADERS_BYTES and not self.transport.is_closing():
        self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                     "The headers of the request are too large.")

    def send_400_response(self, msg: str) -> None:
      self._refuse(http.HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: http.HTTPStatus, text: str) -> None:
      """Answers, and ends the connection."""
      refuse(status.value)
      body = rest_api.format_error(text)
      self.transport.write(
          b"HTTP/1.1 %d %b\r\nconnection: close\r\n"
          b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
          % (status.value, status.phrase.encode(), len(body), body))
      self.transport.close()

    def _look(self, transport: asyncio.Transport, before: tuple[Any, bool]) -> None:
      cycle: Any = self.cycle
      reads_headers = ((cycle is None or cycle.response_complete)
                       and self.timeout_keep_alive_task is None)
      if transport.is_closing():
        return
      if reads_headers and before == (cycle, True):
        transport.close()
      else:
        self.loop.call_later(seconds, self._look, transport, (cycle, reads_headers))

  return Protocol
