# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for the model, which takes as many at once as it can."""

import asyncio
import collections

from yt8m.export.serving import request_batching


class OverloadedError(Exception):
  """As many requests are waiting as may wait."""


class RequestQueue:
  """Collects requests while a call runs, and makes the next call of them.

  A batch is closed when the model is free to take it, not before: under load batches
  grow by themselves, without load nobody waits. (Ray Serve's own `serve.batch` closes a
  batch after a fixed time and then lets it queue.)

  Args:
    max_rows: of a call.
    wait_s: seconds to wait for more when the model is free and a request has come.
    max_waiting: requests that may wait or run; further ones are refused.
  """

  def __init__(self, max_rows, wait_s=0.0, max_waiting=1000):
    self._max_rows, self._wait_s, self._max_waiting = max_rows, wait_s, max_waiting
    self._waiting, self._unanswered = collections.deque(), 0
    self._arrived = asyncio.Event()
    self._worker = None

  async def predict(self, version, request):
    """Returns what a version answers to a `PredictRequest`, `{output: array}`.

    Raises:
      OverloadedError: too many requests wait.
      Exception: what the call of the signature raised.
    """
    if self._unanswered >= self._max_waiting:
      raise OverloadedError
    if self._worker is None:
      self._worker = asyncio.create_task(self._work())
    answer = asyncio.get_running_loop().create_future()
    self._waiting.append((version, request, answer))
    self._arrived.set()
    self._unanswered += 1
    try:
      return await answer
    finally:
      self._unanswered -= 1

  async def _work(self):
    while True:
      await self._arrived.wait()
      if self._wait_s and self._rows_waiting() < self._max_rows:
        await asyncio.sleep(self._wait_s)
      batch = self._take()
      if not self._waiting:
        self._arrived.clear()
      if not batch:
        continue
      version, first, _ = batch[0]
      try:
        answers = await asyncio.to_thread(
            request_batching.run, lambda inputs: version.call(first.signature, inputs),  # noqa: B023
            version.signatures[first.signature], version.outputs(first.signature),
            [request.inputs for _, request, _ in batch], self._max_rows)
      except Exception as error:
        answers = [error] * len(batch)
      for (_, _, answer), outcome in zip(batch, answers, strict=True):
        if answer.done():
          continue  # the client has gone
        if isinstance(outcome, Exception):
          answer.set_exception(outcome)
        else:
          answer.set_result(outcome)

  def _take(self):
    """Removes those that go with the first, up to a full call, from the queue."""
    batch, others, rows = [], collections.deque(), 0
    while self._waiting and (not batch or rows < self._max_rows):
      version, request, answer = entry = self._waiting.popleft()
      if answer.done():
        continue
      if batch and (version, request.signature) != (batch[0][0], batch[0][1].signature):
        others.append(entry)
        continue
      batch.append(entry)
      rows += _num_rows(request)
    self._waiting.extendleft(reversed(others))
    return batch

  def _rows_waiting(self):
    return sum(_num_rows(request) for _, request, _ in self._waiting)


def _num_rows(request):
  return max((len(x) for x in request.inputs.values() if x.ndim), default=1)
