# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What Ray Serve's HTTP proxy lacks: errors in JSON, limits, an end for idle connections.

Ray Serve calls `middlewares` in the process of the proxy, because `yt8m-serve` names it
in the variable `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`.
"""

import json
import os
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any

from absl import logging
from starlette import middleware
from starlette import requests
from uvicorn.protocols.http import auto

from yt8m.core import log_lines
from yt8m.export.serving import http_observer
from yt8m.export.serving import http_protocol
from yt8m.export.serving import metrics
from yt8m.export.serving import request_body
from yt8m.export.serving import rest_api
from yt8m.export.serving import routes

# Variable for the process of the proxy: JSON of `access_log` and of the arguments of
# `JsonErrors`.
SETTINGS = "YT8M_SERVE_SETTINGS"
# Headers by which a client tells Ray Serve the limit of time, and that a request goes on
# when the client has left.
_LIMIT = b"x-request-timeout-seconds"
_OF_RAY = (_LIMIT, b"x-request-disconnect-disabled")
# Seconds in which a replica must say that it is ready. Without replicas, as at the start,
# Ray Serve lets requests wait for one.
_READY_S = b"5"

# By the status of Ray Serve's own answers, which are plain text: status and message.
_UNAVAILABLE = (503, "The server starts or stops, or lost a replica. Try again.")
_ANSWERS = {404: _UNAVAILABLE, 500: _UNAVAILABLE, 503: _UNAVAILABLE,
            408: (504, "No answer in time."), 504: (504, "No answer in time.")}

# What Ray Serve answers itself. Other paths go to a replica.
_OWN_PATHS = ("/-/routes", "/-/healthz")

_Message = dict[str, Any]
_Send = Callable[[_Message], Awaitable[None]]


def middlewares() -> list[middleware.Middleware]:
  """Prepares the process of the proxy; returns the middlewares that Ray Serve adds.

  The last one is the first to see a request.
  """
  from yt8m.export.serving import gathering  # requires Ray

  log_lines.follow(logging.get_absl_logger())
  limits = json.loads(os.environ.get(SETTINGS, "{}"))
  access_log, request_metrics = limits.pop("access_log", False), metrics.RequestMetrics()
  auto.AutoHTTPProtocol = http_protocol.limited(
      auto.AutoHTTPProtocol, request_metrics.refuse)
  return [middleware.Middleware(JsonErrors, **limits),
          middleware.Middleware(http_observer.Observer, request_metrics,
                                gathering.Gatherer(), access_log)]


class JsonErrors:
  """Turns Ray Serve's own errors for a model into JSON, and passes whole requests only.

  A replica takes a limited number of requests, and Ray Serve keeps the bodies of all
  others, however large they are. Here a body is read within the limits of a replica
  before the request counts.

  Args:
    app: The ASGI application.
    max_body_bytes: Largest size of the body of a request.
    num_replicas: Largest number of replicas, each of which has a `Budget` of bodies.
    body_secs: Seconds in which a body must arrive.
  """

  def __init__(self, app: Callable[..., Awaitable[None]], max_body_bytes: int = 2**26,
               num_replicas: int = 1, body_secs: float = 60.0):
    self._app = app
    self._max_body_bytes, self._body_secs = max_body_bytes, body_secs
    self._budget = request_body.Budget(max_body_bytes, num_replicas)

  async def __call__(self, scope: dict[str, Any], receive: Callable, send: _Send) -> None:
    if scope["type"] == "websocket":
      await send({"type": "websocket.close", "code": 1003})
      return
    if scope["type"] == "http" and not scope["path"].startswith("/"):  # GET *
      await _send_error(send, 404, "The path does not begin with a slash.")
      return
    if scope["type"] != "http" or scope["path"] in _OWN_PATHS:
      await self._app(scope, receive, send)
      return
    started = replaced = False
    # A client that sets the limit could wait for ever.
    headers = [header for header in scope["headers"] if header[0].lower() not in _OF_RAY]
    is_health = routes.kind(scope["path"]) == routes.HEALTH
    if is_health:
      headers.append((_LIMIT, _READY_S))

    async def send_json(message: _Message) -> None:
      nonlocal started, replaced
      started = True
      if message["type"] == "http.response.start" and message["status"] >= 400 and (
          not _is_json(message)):
        replaced = True
        status, text = _UNAVAILABLE if is_health else _ANSWERS.get(
            message["status"], (message["status"], "The request was refused."))
        scope[http_observer.UNAVAILABLE] = status == _UNAVAILABLE[0]
        await _send_error(send, status, text)
      elif not replaced:
        await send(message)

    try:
      with self._budget.share() as take:
        body = await request_body.receive(
            requests.Request(scope, receive), self._max_body_bytes, take,
            self._body_secs)
        await self._app({**scope, "headers": headers}, _sent_again(body, receive),
                        send_json)
    except rest_api.RestError as error:
      await _send_error(send, int(error.status), str(error))
      return
    except requests.ClientDisconnect:
      return
    except Exception:  # such as the loss of a replica; uvicorn would answer in plain text
      if started:
        raise
      logging.exception("%s %s", scope["method"], scope["path"])
    if not started:
      scope[http_observer.UNAVAILABLE] = True
      await _send_error(send, *_UNAVAILABLE)


def _sent_again(body: bytes, receive: Callable) -> Callable[[], Awaitable[_Message]]:
  """Returns a function that gives a whole body first, and then what `receive` does."""
  rest = iter([{"type": "http.request", "body": body, "more_body": False}])

  async def receive_again() -> _Message:
    return next(rest, None) or await receive()

  return receive_again


def _is_json(message: _Message) -> bool:
  return any(name.lower() == b"content-type" and value.startswith(b"application/json")
             for name, value in message.get("headers", ()))


async def _send_error(send: _Send, status: int, text: str) -> None:
  body = rest_api.format_error(text)
  headers = [(b"content-type", b"application/json"),
             (b"content-length", str(len(body)).encode())]
  if status == 503:
    headers.append((b"retry-after", b"1"))
  await send({"type": "http.response.start", "status": status, "headers": headers})
  await send({"type": "http.response.body", "body": body})
