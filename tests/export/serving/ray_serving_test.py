# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Limits on reading a body; serve_test.py runs the deployment."""

import asyncio

import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'yt8m[ray]'")

from starlette import requests  # noqa: E402

from yt8m.export.serving import ray_serving  # noqa: E402
from yt8m.export.serving import rest_api  # noqa: E402


def read(chunks, max_bytes, **headers):
  """Returns the body and the number of chunks that were read."""
  messages = [{"type": "http.request", "body": chunk, "more_body": i + 1 < len(chunks)}
              for i, chunk in enumerate(chunks)]
  asked = []

  async def receive():
    asked.append(None)
    return messages[len(asked) - 1]

  scope = {"type": "http", "method": "POST", "path": "/", "headers": [
      (name.replace("_", "-").encode(), value.encode())
      for name, value in headers.items()]}
  try:
    body = asyncio.run(ray_serving.read_body(requests.Request(scope, receive), max_bytes))
  except rest_api.RestError as error:
    return error.status, len(asked)
  return body, len(asked)


def test_a_body_within_the_limit_is_read():
  assert read([b"ab", b"cd"], 4) == (b"abcd", 2)
  assert read([b"ab", b"cd"], 4, content_length="4") == (b"abcd", 2)
  assert read([b""], 4) == (b"", 1)


def test_a_larger_one_is_refused_as_soon_as_it_is_known():
  assert read([b"ab", b"cde", b"f"], 4) == (413, 2)
  assert read([b"abcde"], 4, content_length="5") == (413, 0)
  assert read([b"abcde"], 4, content_length="4") == (413, 1)
  assert read([b"a"], 4, content_length="-1") == (413, 0)
