# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The replicas are asked at most once a second, and their loss is no error."""

import asyncio
import types

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'yt8m[ray]'")
from yt8m.export.serving import gathering  # noqa: E402


class Handle:
  """A handle of Ray Serve whose replicas give these answers."""

  def __init__(self, *answers):
    self.answers, self.asked = answers, 0

  def broadcast(self, method):
    assert method == "measure"
    self.asked += 1

    async def results(return_exceptions):
      assert return_exceptions
      return list(self.answers)

    return types.SimpleNamespace(results_async=results)


def gather(monkeypatch, handle, times=1):
  monkeypatch.setattr(gathering.serve, "get_app_handle", handle)

  async def scenario():
    gatherer = gathering.Gatherer()
    return await asyncio.gather(*(gatherer() for _ in range(times)))

  return asyncio.run(scenario())


def test_a_lost_replica_is_left_out(monkeypatch):
  handle = Handle(["a"], RuntimeError("lost"), ["b"])
  assert gather(monkeypatch, lambda _: handle) == [[["a"], ["b"]]]


def test_many_clients_cause_one_question(monkeypatch):
  handle = Handle(["a"])
  assert gather(monkeypatch, lambda _: handle, times=20) == 20 * [[["a"]]]
  assert handle.asked == 1
  monkeypatch.setattr(gathering, "_FRESH_S", 0.0)
  gather(monkeypatch, lambda _: handle, times=3)
  assert handle.asked == 4


def test_before_there_are_replicas_there_are_no_values(monkeypatch):
  def none_yet(name):
    raise RuntimeError(f"Application {name} does not exist.")

  assert gather(monkeypatch, none_yet) == [[]]


def test_replicas_that_hang_are_not_waited_for(monkeypatch):
  class Hanging(Handle):
    def broadcast(self, method):
      async def results(return_exceptions):
        await asyncio.Event().wait()

      return types.SimpleNamespace(results_async=results)

  monkeypatch.setattr(gathering, "_TIMEOUT_S", 0.1)
  assert gather(monkeypatch, lambda _: Hanging()) == [[]]
