# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A queue of requests, from which the model takes as many at once as it can."""

import asyncio
import collections
import functools
import time
from collections.abc import Callable

from yt8m.export.serving import request_batching
from yt8m.export.serving.model_versions import Version
from yt8m.export.serving.rest_api import Arrays
from yt8m.export.serving.rest_api import PredictRequest

# Is told of each call of a model: version, signature, number of rows, and seconds.
Observe = Callable[[Version, str, int, float], None]


class OverloadedError(Exception):
  """The queue is full."""


class RequestQueue:
  """Collects requests while a call runs, and answers them in the next call.

  A batch is closed when the model is free to take it, and not before. Batches therefore
  grow under load, and without load no request waits. (`serve.batch` of Ray Serve closes a
  batch after a fixed time and then lets it wait.)

  Args:
    max_rows: Largest number of rows in one call.
    wait_s: Seconds to wait for more requests after the first one, if the model is free.
    max_waiting: Largest number of requests that wait or run; others are refused.
    observe: Function that is told of each call, in the thread of the call.
  """

  def __init__(self, max_rows: int, wait_s: float = 0.0, max_waiting: int = 1000,
               observe: Observe | None = None):
    self._max_rows, self._wait_s, self._max_waiting = max_rows, wait_s, max_waiting
    self._observe = observe
    self._waiting, self._unanswered = collections.deque(), 0
    self._arrived = asyncio.Event()
    self._worker = None

  @property
  def num_requests(self) -> int:
    """Number of requests that wait or run."""
    return self._unanswered

  async def predict(self, version: Version, request: PredictRequest) -> Arrays:
    """Returns the outputs of a version of the model for a request.

    Raises:
      OverloadedError: The queue is full.
      Exception: The call of the signature failed.
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
      version, request, _ = batch[0]
      signature = request.signature
      try:
        answers = await asyncio.to_thread(
            request_batching.run, functools.partial(self._call, version, signature),
            version.signatures[signature], version.outputs(signature),
            [request.inputs for _, request, _ in batch], self._max_rows)
      except Exception as error:
        answers = [error] * len(batch)
      for (_, _, future), answer in zip(batch, answers, strict=True):
        if future.done():
          continue  # the client is gone
        if isinstance(answer, Exception):
          future.set_exception(answer)
        else:
          future.set_result(answer)

  def _call(self, version: Version, signature: str, inputs: Arrays) -> Arrays:
    began = time.monotonic()
    try:
      return version.call(signature, inputs)
    finally:
      if self._observe:
        self._observe(version, signature, _num_rows(inputs), time.monotonic() - began)

  def _take(self):
    """Removes the first request and those that can share its call from the queue."""
    batch, others, rows = [], collections.deque(), 0
    while self._waiting and (not batch or rows < self._max_rows):
      version, request, answer = entry = self._waiting.popleft()
      if answer.done():
        continue
      if batch and (version, request.signature) != (batch[0][0], batch[0][1].signature):
        others.append(entry)
      else:
        batch.append(entry)
        rows += _num_rows(request.inputs)
    self._waiting.extendleft(reversed(others))
    return batch

  def _rows_waiting(self):
    return sum(_num_rows(request.inputs) for _, request, _ in self._waiting)


def _num_rows(inputs: Arrays) -> int:
  return max((len(x) for x in inputs.values() if x.ndim), default=1)
