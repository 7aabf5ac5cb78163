# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Answers of the proxy itself are JSON; connections without a request are closed."""

import asyncio
import json
import socket

import pytest

pytest.importorskip("uvicorn", reason="Ray is not installed: pip install 'yt8m[ray]'")
import uvicorn  # noqa: E402
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


CHUNKS = (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
          b"2\r\n{}\r\n0\r\n")


@pytest.mark.parametrize("begin", [
    b"GET / HTTP/1.1\r\nHost: h\r\n",
    CHUNKS,  # trailers
    3 * b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" + b"GET / HTTP/1.1\r\n"])
@pytest.mark.parametrize("line", [b"X: " + 97 * b"x" + b"\r\n", 100 * b"x"])
def test_headers_have_a_largest_size(begin, line):
  refused = []

  async def scenario():
    protocol = http_proxy._protocol(
        auto.AutoHTTPProtocol, seconds=10, refuse=lambda: refused.append(1))
    server = uvicorn.Server(uvicorn.Config(
        answering(200, b"application/json", b"{}"), http=protocol, lifespan="off",
        log_config=None))
    with socket.socket() as listener:
      listener.bind(("127.0.0.1", 0))
      task = asyncio.create_task(server.serve(sockets=[listener]))
      while not server.started:
        await asyncio.sleep(0.01)
      reader, writer = await asyncio.open_connection(*listener.getsockname())
      for _ in range(2):  # Their sizes do not add up over requests, nor do bodies count.
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\nX: "
                     + 9000 * b"x" + b"\r\n\r\n")
        writer.write(99999 * b"x")
        assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n0\r\n\r\n"), 5)
      writer.write(begin)
      await asyncio.sleep(0.1)
      for _ in range(7):  # a little more than the limit: what is not read would reset it
        writer.write(100 * line)
        await asyncio.sleep(0.01)
      answer = await asyncio.wait_for(reader.read(), 5)
      server.should_exit = True
      writer.close()
      await task
      return answer

  answer = asyncio.run(scenario())
  assert b"HTTP/1.1 431 " in answer and b"too large" in answer
  assert refused == [1]


def test_other_paths_of_ray_reach_no_replica_without_limits():
  for path in ("/-/healthz", "/-/routes"):
    assert ask(echoes, path, pieces=(b"abcd",), max_body_bytes=3)[0] == 200
  assert ask(must_not_be_asked, "/-/x", pieces=(b"abcd",), max_body_bytes=3)[0] == 413


def test_unfinished_headers_are_not_waited_for():
  unfinished = b"GET / HTTP/1.1\r\nHost: h\r\nX: "

  async def scenario():
    protocol = http_proxy._protocol(auto.AutoHTTPProtocol, seconds=0.3)
    server = uvicorn.Server(uvicorn.Config(
        answering(200, b"application/json", b"{}"), http=protocol, lifespan="off",
        log_config=None, timeout_keep_alive=60))
    with socket.socket() as listener:
      listener.bind(("127.0.0.1", 0))
      task = asyncio.create_task(server.serve(sockets=[listener]))
      while not server.started:
        await asyncio.sleep(0.01)
      connections = [await asyncio.open_connection(*listener.getsockname())
                     for _ in range(4)]
      (_, silent), (_, cut), (late_reader, late), (reader, writer) = connections
      assert silent
      cut.write(unfinished)
      for both in (late, writer):
        both.write(unfinished + b"x\r\n\r\n")
      await asyncio.gather(*(each.readuntil(b"\r\n0\r\n\r\n")
                             for each in (late_reader, reader)))
      late.write(unfinished)  # a second request, of which the rest does not come
      for _ in range(9):
        late.write(b"x")
        await asyncio.sleep(0.1)
      ended = [each.at_eof() for each, _ in connections]
      # uvicorn itself limits how long a connection is kept after an answer.
      writer.write(unfinished + b"x\r\n\r\n")
      assert await asyncio.wait_for(reader.readuntil(b"\r\n0\r\n\r\n"), 5)
      server.should_exit = True
      writer.close()
      await task
      return ended

  assert asyncio.run(scenario()) == [True, True, True, False]
