# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the proxy asks all replicas at once. This module requires Ray."""

import asyncio
import time

from absl import logging
from ray import serve

from yt8m.export.serving import metrics

APPLICATION = "yt8m"  # its name in Ray Serve
_TIMEOUT_S = 5.0
# A broadcast passes the limits of a replica, so no client may cause any number of them.
_FRESH_S = 1.0


class Gatherer:
  """Collects the metrics of the replicas, at most once a second."""

  def __init__(self):
    self._lock, self._metrics = asyncio.Lock(), []
    self._asked = -_FRESH_S

  async def __call__(self) -> list[metrics.Families]:
    """Returns the metrics of each replica that answers; none before any is there."""
    async with self._lock:
      if time.monotonic() - self._asked >= _FRESH_S:
        try:
          self._metrics = await asyncio.wait_for(_ask(), _TIMEOUT_S)
        except Exception as error:  # Ray raises many types while it starts and stops
          logging.info("No replica gives its metrics: %r", error)
          self._metrics = []
        self._asked = time.monotonic()
      return self._metrics


async def _ask() -> list[metrics.Families]:
  # In a thread: Ray waits for its controller.
  handle = await asyncio.to_thread(serve.get_app_handle, APPLICATION)
  answers = await handle.broadcast("measure").results_async(return_exceptions=True)
  return [answer for answer in answers if not isinstance(answer, BaseException)]
