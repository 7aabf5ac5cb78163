# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Decodes several files ahead of the one whose features are computed."""

import collections
import queue
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from yt8m.extracting import decoder

# Batches of frames that wait, for each file: what keeps memory flat.
_WAITING = 4
_POLL_SECS = 0.2
# What a decoder yields, and the error that ends it.
Item = tuple[str, Any]


class _Stream(Iterator[Item]):
  """What is decoded of one file, while it is."""

  def __init__(self, request: decoder.Request):
    self.request = request
    self._items: queue.Queue[Item | Exception] = queue.Queue(_WAITING)
    self._ended = False

  def put(self, item: Item | Exception, stopped: threading.Event) -> bool:
    """Waits for room for an item; returns False if there is no need any more."""
    while not stopped.is_set():
      try:
        self._items.put(item, timeout=_POLL_SECS)
      except queue.Full:
        continue
      return True
    return False

  def __next__(self) -> Item:
    if self._ended:
      raise StopIteration
    item = self._items.get()
    self._ended = isinstance(item, Exception) or item[0] == decoder.END
    if isinstance(item, Exception):
      raise item
    return item


class Decoders:
  """Processes that decode, and the threads that wait for them.

  Args:
    num_processes: Number of processes.
    timeout_secs: Seconds that a file may take to decode.
    memory_bytes: Bytes of address space that a process may have.
  """

  def __init__(self, num_processes: int, timeout_secs: float, memory_bytes: int):
    self._requested: queue.SimpleQueue[_Stream | None] = queue.SimpleQueue()
    self._stopped = threading.Event()
    self._decoders = [decoder.Decoder(timeout_secs, memory_bytes)
                      for _ in range(num_processes)]
    self._threads = [threading.Thread(target=self._work, args=[one], daemon=True)
                     for one in self._decoders]
    for thread in self._threads:
      thread.start()

  def decode(self, requests: Iterable[decoder.Request]) -> Iterator[Iterator[Item]]:
    """Yields an iterator over what is decoded of each file, in the order of `requests`.

    It yields what `decoder.Decoder.decode` does, with its errors, and must be read to
    `decoder.END` or an error before the next one.
    """
    ahead = collections.deque()
    for request in requests:
      ahead.append(_Stream(request))
      self._requested.put(ahead[-1])
      if len(ahead) > len(self._threads):
        yield ahead.popleft()
    yield from ahead

  def _work(self, one: decoder.Decoder) -> None:
    while (stream := self._requested.get()) is not None and not self._stopped.is_set():
      try:
        for item in one.decode(stream.request):
          if not stream.put(item, self._stopped):
            return
      except Exception as error:  # It belongs to whoever reads the stream.
        stream.put(error, self._stopped)

  def __enter__(self) -> "Decoders":
    return self

  def __exit__(self, *error: object) -> None:
    self._stopped.set()
    for _ in self._threads:
      self._requested.put(None)
    for one in self._decoders:
      one.close()  # A thread that waits for it sees its end.
    for thread in self._threads:
      thread.join()
    for one in self._decoders:
      one.stop()
