# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Each request gets its own answer, and batches grow while the model is busy."""

import asyncio
import threading

import numpy as np
import pytest
import tensorflow as tf

from yt8m.export.serving import request_queue
from yt8m.export.serving import rest_api


class Doubler:
  """A version that doubles its input, once `free` is set."""

  signatures = {name: {"x": tf.TensorSpec([None])} for name in ("double", "again")}

  def __init__(self):
    self.calls, self.free = [], threading.Event()

  def outputs(self, signature):
    return {"y": tf.TensorSpec([None])}

  def call(self, signature, inputs):
    assert self.free.wait(timeout=30)
    self.calls.append((signature, inputs["x"].tolist()))
    if (inputs["x"] < 0).any():
      raise ValueError("negative")
    return {"y": 2 * inputs["x"]}


def request(*values, signature="double"):
  return rest_api.PredictRequest(signature, {"x": np.float32(values)}, True)


async def settle():
  """Lets every task run until it waits."""
  for _ in range(20):
    await asyncio.sleep(0)


def ask(queue, version, *requests):
  return [asyncio.create_task(queue.predict(version, x)) for x in requests]


def test_requests_that_come_meanwhile_share_the_next_call():
  async def scenario():
    version, queue = Doubler(), request_queue.RequestQueue(max_rows=4)
    tasks = ask(queue, version, request(1))
    await settle()
    tasks += ask(queue, version, request(2, 3), request(4), request(5, 6), request(7))
    await settle()
    version.free.set()
    answers = await asyncio.gather(*tasks)
    assert [x["y"].tolist() for x in answers] == [[2], [4, 6], [8], [10, 12], [14]]
    assert [len(x) for _, x in version.calls] == [1, 3, 2, 1]

  asyncio.run(scenario())


def test_signatures_and_versions_are_not_mixed_and_none_is_lost():
  async def scenario():
    versions, queue = [Doubler(), Doubler()], request_queue.RequestQueue(max_rows=100)
    tasks = ask(queue, versions[0], request(0))
    await settle()
    for i in range(40):
      tasks += ask(queue, versions[i % 2],
                   request(i, signature=("double", "again")[i // 2 % 2]))
    for version in versions:
      version.free.set()
    answers = await asyncio.gather(*tasks)
    assert [x["y"].tolist() for x in answers[1:]] == [[2 * i] for i in range(40)]
    # Besides the first call, one for each version and signature.
    assert sorted(len(x.calls) for x in versions) == [2, 3]

  asyncio.run(scenario())


def test_an_error_is_that_of_its_request():
  async def scenario():
    version, queue = Doubler(), request_queue.RequestQueue(max_rows=100)
    version.free.set()
    tasks = ask(queue, version, request(1), request(-1), request(2))
    first, error, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first["y"], last["y"], str(error)) == (2, 4, "negative")

  asyncio.run(scenario())


def test_too_many_requests_are_refused_and_later_ones_are_not():
  async def scenario():
    version, queue = Doubler(), request_queue.RequestQueue(max_rows=1, max_waiting=2)
    tasks = ask(queue, version, request(1), request(2))
    await settle()
    with pytest.raises(request_queue.OverloadedError):
      await queue.predict(version, request(3))
    version.free.set()
    await asyncio.gather(*tasks)
    assert (await queue.predict(version, request(3)))["y"] == [6]

  asyncio.run(scenario())


def test_who_has_gone_is_not_answered_and_frees_a_place():
  async def scenario():
    version, queue = Doubler(), request_queue.RequestQueue(max_rows=1, max_waiting=2)
    running, waiting = ask(queue, version, request(1), request(2))
    await settle()
    waiting.cancel()
    await settle()
    last, = ask(queue, version, request(3))
    await settle()
    running.cancel()
    version.free.set()
    assert (await last)["y"] == [6]
    assert version.calls == [("double", [1]), ("double", [3])]

  asyncio.run(scenario())


def test_a_free_model_may_wait_for_more():
  async def scenario():
    version = Doubler()
    version.free.set()
    queue = request_queue.RequestQueue(max_rows=3, wait_s=30)
    tasks = ask(queue, version, request(1), request(2), request(3))  # full: no waiting
    await asyncio.wait_for(asyncio.gather(*tasks), timeout=10)
    queue = request_queue.RequestQueue(max_rows=3, wait_s=0.2)
    first, = ask(queue, version, request(4))
    await settle()
    second, = ask(queue, version, request(5))
    await asyncio.gather(first, second)
    assert version.calls == [("double", [1, 2, 3]), ("double", [4, 5])]

  asyncio.run(scenario())


def test_calls_are_observed():
  seen = []

  async def scenario():
    queue = request_queue.RequestQueue(
        2, observe=lambda version, signature, rows, seconds: seen.append(
            (version, signature, rows, seconds >= 0)))
    version = Doubler()
    version.free.set()
    await asyncio.gather(
        *ask(queue, version, request(1, 2, 3), request(-1, signature="again")),
        return_exceptions=True)
    assert queue.num_requests == 0
    return version

  version = asyncio.run(scenario())
  assert seen == [(version, "double", 2, True), (version, "double", 1, True),
                  (version, "again", 1, True)]
