# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is no request is refused in JSON, and unfinished headers are not waited for."""

import asyncio
import contextlib
import json
import socket

import pytest

pytest.importorskip("prometheus_client", reason="it comes with pip install 'yt8m[ray]'")
import uvicorn  # noqa: E402
from uvicorn.protocols.http import auto  # noqa: E402

from tests.export.serving.http_proxy_test import answering  # noqa: E402
from yt8m.export.serving import http_protocol  # noqa: E402


@contextlib.asynccontextmanager
async def serving(protocol, **config):
  """Serves `{}` by a protocol; yields the address."""
  server = uvicorn.Server(uvicorn.Config(
      answering(200, b"application/json", b"{}"), http=protocol, lifespan="off",
      log_config=None, **config))
  with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
      await asyncio.sleep(0.01)
    yield listener.getsockname()
    server.should_exit = True
    await task


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
    protocol = http_protocol.limited(auto.AutoHTTPProtocol, refused.append)
    async with serving(protocol) as address:
      reader, writer = await asyncio.open_connection(*address)
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
      writer.close()
      return answer

  answer = asyncio.run(scenario())
  assert b"HTTP/1.1 431 " in answer and b"too large" in answer
  assert refused == [431]


@pytest.mark.parametrize("data", [
    b"no HTTP at all\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n"])
def test_what_is_no_http_is_answered_in_json_and_counted(data):
  refused = []

  async def scenario():
    async with serving(http_protocol.limited(
        auto.AutoHTTPProtocol, refused.append)) as address:
      reader, writer = await asyncio.open_connection(*address)
      writer.write(data)
      answer = await asyncio.wait_for(reader.read(), 5)
      writer.close()
      return answer

  head, body = asyncio.run(scenario()).split(b"\r\n\r\n")
  assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
  assert b"content-type: application/json" in head
  assert json.loads(body)["error"] and refused == [400]


def test_head_has_no_body():
  async def scenario():
    async with serving(http_protocol.limited(auto.AutoHTTPProtocol)) as address:
      reader, writer = await asyncio.open_connection(*address)
      writer.write(b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
      answer = await asyncio.wait_for(reader.read(), 5)
      writer.close()
      return answer

  answer = asyncio.run(scenario())
  assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n")


def test_unfinished_headers_are_not_waited_for():
  unfinished = b"GET / HTTP/1.1\r\nHost: h\r\nX: "

  async def scenario():
    protocol = http_protocol.limited(auto.AutoHTTPProtocol, seconds=0.3)
    async with serving(protocol, timeout_keep_alive=60) as address:
      connections = [await asyncio.open_connection(*address)
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
      writer.close()
      return ended

  assert asyncio.run(scenario()) == [True, True, True, False]
