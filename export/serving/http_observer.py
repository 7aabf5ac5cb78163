# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Counts and logs the requests in the process of the proxy, and answers `/metrics`."""

import datetime
import json
import sys
import time
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any

from yt8m.export.serving import metrics
from yt8m.export.serving import open_inference
from yt8m.export.serving import routes

# Key of the scope of a request: whether the answer says that no replica answers.
UNAVAILABLE = "yt8m.unavailable"
_LONGEST_PATH = 200

_Message = dict[str, Any]


class Observer:
  """Counts requests, logs them, and answers what needs no replica.

  HEAD is GET without the body, which uvicorn leaves out.

  `/v2/health/live` says that the server runs, also while no model is loaded.

  Args:
    app: The ASGI application.
    request_metrics: Metrics of the requests.
    gather: Function that returns the metrics of each replica.
    access_log: Whether every request is logged, as a line of JSON on stderr.
  """

  def __init__(self, app: Callable[..., Awaitable[None]],
               request_metrics: metrics.RequestMetrics,
               gather: Callable[[], Awaitable[list[metrics.Families]]],
               access_log: bool = False):
    self._app, self._metrics, self._gather = app, request_metrics, gather
    self._access_log = access_log

  async def __call__(self, scope: dict[str, Any], receive: Callable,
                     send: Callable) -> None:
    if scope["type"] != "http":
      await self._app(scope, receive, send)
      return
    status, num_bytes, left, began = None, 0, False, time.monotonic()

    async def observed_send(message: _Message) -> None:
      nonlocal status, num_bytes
      status = message.get("status", status)
      num_bytes += len(message.get("body", b""))
      await send(message)

    async def observed_receive() -> _Message:
      nonlocal left
      message = await receive()
      # Also comes after the answer; then there is a status.
      left |= message["type"] == "http.disconnect" and status is None
      return message

    # A copy: uvicorn looks at its own scope.
    asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
    self._metrics.begin()
    try:
      await self._answer(asked, observed_receive, observed_send)
    finally:
      seconds = time.monotonic() - began
      status = None if left else status
      self._metrics.end(routes.kind(scope["path"]), status, seconds,
                        asked.get(UNAVAILABLE, False))
      if self._access_log:
        # In one piece: Ray reads along, and would show the end of the line as another.
        sys.stderr.write(f"{_line(scope, status, num_bytes, seconds)}\n")
        sys.stderr.flush()

  async def _answer(self, scope: dict[str, Any], receive: Callable,
                    send: Callable) -> None:
    if scope["method"] == "GET" and scope["path"] == routes.METRICS:
      await _send(send, metrics.CONTENT_TYPE, self._metrics.text(await self._gather()))
    elif scope["method"] == "GET" and scope["path"] == routes.LIVE:
      await _send(send, "application/json", open_inference.LIVE_ANSWER)
    else:
      await self._app(scope, receive, send)


async def _send(send: Callable, kind: str, body: bytes) -> None:
  await send({"type": "http.response.start", "status": 200,
              "headers": [(b"content-type", kind.encode()),
                          (b"content-length", str(len(body)).encode())]})
  await send({"type": "http.response.body", "body": body})


def _line(scope: dict[str, Any], status: int | None, num_bytes: int,
          seconds: float) -> str:
  """Returns a line of the access log. JSON keeps what a client sends within it."""
  now = datetime.datetime.now(datetime.timezone.utc)
  return json.dumps({
      "time": now.isoformat(timespec="milliseconds"),
      "client": (scope.get("client") or [""])[0], "method": scope["method"],
      "path": scope["path"][:_LONGEST_PATH], "status": status, "bytes": num_bytes,
      "seconds": round(seconds, 4)})
