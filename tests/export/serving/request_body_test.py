# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Bodies are unpacked up to a limit, and refused if parsing would take the memory."""

import asyncio
import contextlib
import gzip
import tracemalloc
import types

import pytest

from yt8m.export.serving import request_body
from yt8m.export.serving import rest_api

BODY = b'{"inputs": [1, 2]}'


def status(error):
  return int(error.value.status), str(error.value)


@pytest.mark.parametrize("encoding, body, expected, text", [
    ("br", BODY, 415, "Content-Encoding: br is not accepted. Send gzip"),
    ("gzip, gzip", BODY, 415, "is not accepted"),
    ("gzip", BODY, 400, "not what gzip writes: .*incorrect header"),
    ("gzip", gzip.compress(BODY, mtime=0)[:-4], 400, "it is cut"),
    ("gzip", gzip.compress(BODY, mtime=0) + b"x", 400, "something follows"),
    ("gzip", gzip.compress(BODY + b" ", mtime=0), 413, "unpacks to more than 18 bytes")])
def test_what_cannot_be_inflated_is_explained(encoding, body, expected, text):
  with pytest.raises(rest_api.RestError, match=text) as error:
    request_body.inflate(body, encoding, len(BODY))
  assert status(error)[0] == expected


def test_a_bomb_is_not_unpacked():
  bomb = gzip.compress(bytes(2**28))
  tracemalloc.start()
  with pytest.raises(rest_api.RestError, match="unpacks to more than 1,048,576 bytes"):
    request_body.inflate(bomb, "gzip", 2**20)
  assert tracemalloc.get_traced_memory()[1] < 2**24
  tracemalloc.stop()


@pytest.mark.parametrize("value", [b"[],", b"{},", b'"a",'])
def test_a_body_of_many_small_values_is_refused(value):
  body = b"[%s 1]" % (value * (request_body.MAX_VALUES - 1))
  request_body.check(body)
  with pytest.raises(rest_api.RestError, match="524,289 lists, objects and") as error:
    request_body.check(body + value)
  assert status(error)[0] == 413


@pytest.mark.parametrize("length, expected", [
    ("0" * 5000 + "18", None), ("9" * 5000, 413), ("19", 413), ("²", 413), ("-1", 413)])
def test_any_announced_length_is_accepted_or_refused(length, expected):
  async def pieces():
    yield BODY

  request = types.SimpleNamespace(headers={"content-length": length}, stream=pieces)
  body = request_body.read(request, len(BODY), lambda size: None, 5)
  if not expected:
    assert asyncio.run(body) == BODY
    return
  with pytest.raises(rest_api.RestError) as error:
    asyncio.run(body)
  assert status(error)[0] == expected


def test_numbers_are_not_counted():
  request_body.check(b"[%s1]" % (b"1," * 2**22))


def test_the_bodies_that_are_held_have_a_budget():
  budget = request_body.Budget(100)
  with contextlib.ExitStack() as held:
    takes = [held.enter_context(budget.share()) for _ in range(20)]
    for take in takes[:7]:
      take(60)
      take(40)
    takes[7](60)
    with pytest.raises(rest_api.RestError, match="800 bytes together. Try") as error:
      takes[8](41)
    assert error.value.status == 503
    takes[8](40)
    takes[9](0)  # A request without a body needs no room.
  with budget.share() as take:  # All of them are free again.
    take(800)


class Request:
  """A request whose body arrives in pieces; None: the connection falls silent."""

  def __init__(self, pieces, **headers):
    self._pieces = pieces
    self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

  async def stream(self):
    for piece in self._pieces:
      if piece is None:
        await asyncio.sleep(60)
      yield piece


def read(taken, pieces, max_bytes=10, **headers):
  return asyncio.run(request_body.read(
      Request(pieces, **headers), max_bytes, taken.append, 0.2))


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "GZIP ", "x-gzip"])
def test_a_body_is_inflated(encoding):
  compressed, taken = "zip" in encoding.lower(), []
  body = gzip.compress(BODY, mtime=0) if compressed else BODY
  assert read(taken, [body], 50, content_encoding=encoding) == BODY
  assert taken == [len(body), 50] if compressed else [len(body)]


def test_a_body_is_counted_as_it_arrives_and_awaited_for_a_while():
  taken = []
  assert read(taken, [b"abc", b"", b"def"]) == b"abcdef" and taken == [3, 0, 3]
  taken.clear()
  with pytest.raises(rest_api.RestError, match="did not arrive in 0.2 seconds") as error:
    read(taken, [b"a", None], content_length="10")
  assert error.value.status == 408 and taken == [1]
  with pytest.raises(rest_api.RestError, match="more than 10 bytes") as error:
    read([], [b"12345", b"123456"])
  assert error.value.status == 413
