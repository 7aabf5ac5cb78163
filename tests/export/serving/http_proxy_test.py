# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Answers of the proxy itself are JSON, and whole requests only reach a replica."""

import asyncio
import json

import pytest

pytest.importorskip("uvicorn", reason="Ray is not installed: pip install 'yt8m[ray]'")
from uvicorn.protocols.http import auto  # noqa: E402

from yt8m.export.serving import http_proxy  # noqa: E402


def receiving(*pieces):
  """Returns a function that gives the pieces of a body, and then waits for ever."""
  rest = iter(pieces)

  async def receive():
    piece = next(rest, None)
    if piece is None:
      await asyncio.Event().wait()
    return {"type": "http.request", "body": piece, "more_body": piece != pieces[-1]}

  return receive


def ask(app, path="/v1/models/m", pieces=(b"",), headers=(), **limits):
  """Returns status, headers and body of the answer."""
  sent = []

  async def send(message):
    sent.append(message)

  asyncio.run(http_proxy.JsonErrors(app, **limits)(
      {"type": "http", "method": "POST", "path": path, "headers": headers},
      receiving(*pieces), send))
  start, *bodies = sent
  return (start["status"], dict(start.get("headers", [])),
          b"".join(message["body"] for message in bodies))


def answering(status, kind, body):
  async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

  return app


@pytest.mark.parametrize("given, expected", [
    (404, 503), (500, 503), (503, 503), (408, 504), (400, 400)])
def test_plain_errors_become_json(given, expected):
  status, headers, body = ask(answering(given, b"text/plain", b"Traceback: secret"))
  assert status == expected and headers[b"content-type"] == b"application/json"
  assert list(json.loads(body)) == ["error"] and b"secret" not in body
  assert (headers.get(b"retry-after") == b"1") == (expected == 503)
  assert int(headers[b"content-length"]) == len(body)


async def fails(scope, receive, send):
  raise RuntimeError("The replica died.")


async def is_silent(scope, receive, send):
  pass


@pytest.mark.parametrize("app", [fails, is_silent])
def test_a_lost_replica_is_an_answer_in_json(app):
  status, headers, body = ask(app)
  assert status == 503 and headers[b"retry-after"] == b"1"
  assert "lost a replica" in json.loads(body)["error"]


@pytest.mark.parametrize("path, limits", [
    ("/v2/health/ready", [b"5"]), ("/v2/models/m/ready", [b"5"]), ("/v1/models/m", [])])
def test_no_client_says_how_long_ray_waits(path, limits):
  async def app(scope, receive, send):
    assert scope["headers"] == [(b"accept", b"*/*"), *(
        (b"x-request-timeout-seconds", limit) for limit in limits)]
    await answering(408, b"text/plain", b"")(scope, receive, send)

  status, headers, body = ask(app, path, headers=(
      (b"accept", b"*/*"), (b"X-Request-Timeout-Seconds", b"0"),
      (b"x-request-disconnect-disabled", b"true")))
  assert status == (503 if limits else 504) and b"error" in body
  assert (headers.get(b"retry-after") == b"1") == bool(limits)


def test_answers_of_replicas_and_health_checks_pass():
  for app, path in ((answering(404, b"application/json", b"{}"), "/v1/models/m"),
                    (answering(200, b"text/plain", b"{}"), "/v1/models/m"),
                    (answering(503, b"text/plain", b"{}"), "/-/healthz")):
    _, headers, body = ask(app, path)
    assert body == b"{}" and len(headers) == 1


async def echoes(scope, receive, send):
  message = await receive()
  assert not message["more_body"]
  await send({"type": "http.response.start", "status": 200,
              "headers": [(b"content-type", b"application/json")]})
  await send({"type": "http.response.body", "body": message["body"]})


async def must_not_be_asked(scope, receive, send):
  raise AssertionError("The replica was asked.")


def test_a_whole_body_reaches_the_replica():
  status, _, body = ask(echoes, pieces=(b"ab", b"c"), max_body_bytes=3)
  assert (status, body) == (200, b"abc")


@pytest.mark.parametrize("pieces, headers, status", [
    ((b"ab", b"cd", b""), (), 413),  # without a length, as in chunks
    ((b"",), ((b"content-length", b"4"),), 413),
    ((b"ab", None), (), 408)])
def test_a_body_is_limited_before_the_replica_is_asked(pieces, headers, status):
  found, kinds, body = ask(must_not_be_asked, pieces=pieces, headers=headers,
                           max_body_bytes=3, body_secs=0.2)
  assert found == status and kinds[b"content-type"] == b"application/json"
  assert "error" in json.loads(body)


def test_bodies_together_are_limited():
  """While eight bodies wait for their answers, there is no room for another one."""
  async def scenario():
    release, statuses = asyncio.Event(), []

    async def waits(scope, receive, send):
      await release.wait()
      await echoes(scope, receive, send)

    async def send(message):
      if "status" in message:
        statuses.append(message["status"])

    app = http_proxy.JsonErrors(waits, max_body_bytes=3)
    scope = {"type": "http", "method": "POST", "path": "/v1", "headers": ()}
    held = [asyncio.create_task(app(scope, receiving(b"abc"), send)) for _ in range(8)]
    await asyncio.sleep(0)
    while app._budget._free:
      await asyncio.sleep(0.01)
    await app(scope, receiving(b"a"), send)
    assert statuses == [503]
    release.set()
    await asyncio.gather(*held)
    await app(scope, receiving(b"abc"), send)
    assert statuses == [503] + 9 * [200]

  asyncio.run(scenario())


def test_the_limits_reach_the_process_of_the_proxy(monkeypatch):
  monkeypatch.setenv(http_proxy.SETTINGS, '{"max_body_bytes": 7, "num_replicas": 2}')
  monkeypatch.setattr(auto, "AutoHTTPProtocol", auto.AutoHTTPProtocol)
  [middleware, _] = http_proxy.middlewares()
  app = middleware.cls(echoes, *middleware.args, **middleware.kwargs)
  assert app._budget._free == 7 * 8 * 2


def test_web_sockets_are_refused():
  sent = []

  async def send(message):
    sent.append(message)

  asyncio.run(http_proxy.JsonErrors(fails)(
      {"type": "websocket", "path": "/"}, None, send))
  assert sent == [{"type": "websocket.close", "code": 1003}]


def test_other_paths_of_ray_reach_no_replica_without_limits():
  for path in ("/-/healthz", "/-/routes"):
    assert ask(echoes, path, pieces=(b"abcd",), max_body_bytes=3)[0] == 200
  assert ask(must_not_be_asked, "/-/x", pieces=(b"abcd",), max_body_bytes=3)[0] == 413


def test_a_path_without_a_slash_reaches_no_replica():
  status, _, body = ask(must_not_be_asked, "*")
  assert status == 404 and b"slash" in body
