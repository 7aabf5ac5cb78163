# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A dead address is named within seconds."""

import contextlib
import os
import socket
import time
from unittest import mock

import pytest

from yt8m.core import network


def listener(backlog):
  server = socket.socket()
  server.bind(("127.0.0.1", 0))
  server.listen(backlog)
  return contextlib.closing(server)


def test_an_address_that_answers():
  with listener(5) as server:
    network.check_reachable(f"127.0.0.1:{server.getsockname()[1]}", "--flag")
  for address in ("local", "auto", "ray://127.0.0.1:1"):
    network.check_reachable(address, "--flag")  # left to Ray


def test_a_closed_port():
  with listener(5) as server:
    address = f"127.0.0.1:{server.getsockname()[1]}"
  with pytest.raises(ConnectionError, match=f"--ray_address={address}: nothing answers "
                                            "there .*refused.* `ray start --head`"):
    network.check_reachable(address, "--ray_address")


def test_silence_is_waited_for_in_bounds():
  with listener(0) as server, contextlib.ExitStack() as stack:
    address = server.getsockname()
    for _ in range(4):  # They fill the queue of the listener.
      client = stack.enter_context(contextlib.closing(socket.socket()))
      client.setblocking(False)
      client.connect_ex(address)
    began = time.monotonic()
    with pytest.raises(ConnectionError, match="timed out"):
      network.check_reachable(f"127.0.0.1:{address[1]}", "--ray_address", seconds=0.2)
    assert time.monotonic() - began < 5


def test_what_is_not_ray_is_waited_for_in_bounds():
  with listener(5) as server:
    address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ConnectionError, match=f"--ray_address={address}: something "
                                              r"listens .* not answered .* in 0\.2 s"):
      network.check_ray(address, "--ray_address", seconds=0.2)
  with pytest.raises(ConnectionError, match="nothing answers there"):
    network.check_ray(address, "--ray_address")
  network.check_ray("local", "--ray_address")


def test_ray_that_does_not_start_is_one_line():
  calls = []

  def init(address, **options):
    calls.append((address, options))
    raise Exception("The current node timed out during startup.\nMore.")  # as Ray does

  with pytest.raises(ConnectionError, match="^Ray did not start: The current node timed "
                                            "out during startup. Is .* Try again.$"):
    network.start_ray(init, "local", "--ray_address", num_cpus=1)
  assert calls == [("local", {"num_cpus": 1})]


@pytest.mark.parametrize("address", ["host:", "host:a", "host:99999", "host:-1"])
def test_what_is_no_port(address):
  with pytest.raises(ValueError, match=f"--ray_address={address}: .* is not a port"):
    network.check_reachable(address, "--ray_address")


def test_a_local_ray_is_protected_and_the_user_decides():
  with mock.patch.dict(os.environ, {"RAY_USAGE_STATS_ENABLED": "1"}, clear=True):
    network.protect_local_ray(OTHER="x")
    found = dict(os.environ)
  assert found.pop("RAY_AUTH_TOKEN") == network._PROTECTED["RAY_AUTH_TOKEN"]
  assert found == {"RAY_AUTH_MODE": "token", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
                   "RAY_USAGE_STATS_ENABLED": "1", "OTHER": "x"}
