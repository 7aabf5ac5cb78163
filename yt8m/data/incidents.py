# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Counts of what readers left out or changed."""

import collections
import threading
from collections.abc import Mapping

from absl import logging


class Incidents:
  """Counts what a reader left out or shortened, and logs the first of each kind.

  A record counts once, however often it is read: by a look at the labels, in every epoch
  and in every evaluation.

  Attributes:
    counts: Number of occurrences of each kind.
  """
  LOGGED = 10

  def __init__(self):
    self.counts = collections.Counter()
    self._returned = collections.Counter()
    self._known = set()  # Hashes, since there may be millions.
    self._lock = threading.Lock()

  def add(self, kind: str, message: str) -> None:
    """Counts an occurrence of `kind`; the first ten are logged, then every 1,000th.

    Args:
      kind: Kind of the occurrence.
      message: What occurred, and in which record: the same message counts once.
    """
    with self._lock:
      key = hash((kind, message))
      if key in self._known:
        return
      self._known.add(key)
      self.counts[kind] += 1
      count = self.counts[kind]
    if count <= self.LOGGED or count % 1000 == 0:
      logging.warning("%s [%s: %d so far]", message, kind, count)

  def new_counts(self) -> dict[str, int]:
    """Returns the number of occurrences since the last call."""
    with self._lock:
      new, self._returned = self.counts - self._returned, self.counts.copy()
    return dict(new)

  @staticmethod
  def log_summary(counts: Mapping[str, int]) -> None:
    """Logs counts of incidents in one line; nothing if there are none."""
    if counts:
      logging.warning("In the records that were read: %s.", in_words(counts))


def in_words(counts: Mapping[str, int]) -> str:
  """Returns counts of incidents as text."""
  return ", ".join(f"{kind}: {count:,}" for kind, count in sorted(counts.items()))
