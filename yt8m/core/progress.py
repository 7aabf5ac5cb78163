# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rate and remaining time of long-running work."""

import time
from collections.abc import Callable


class Progress:
  """Turns counts of work done into a rate and the time left.

  The rate is that since the last report, so that a slow start (tracing, filling a
  shuffle buffer) does not distort the forecast.

  Args:
    total: Amount of work in all, or None if it is not known.
    unit: Name of what is counted, e.g. `"examples"`.
    done: Amount of work that was done before this process started.
    clock: Function that returns the time in seconds.

  Attributes:
    rate: Amount of work a second, at the last report.
  """

  def __init__(self, total: float | None = None, unit: str = "examples", done: float = 0,
               clock: Callable[[], float] = time.monotonic):
    self.total, self.unit, self._clock = total, unit, clock
    self._done, self._time = done, clock()
    self.rate = 0.0

  def report(self, done: float) -> str:
    """Returns e.g. `"1,234 examples/s | 0:12:34 left"`.

    Args:
      done: Amount of work done so far, by earlier processes too.
    """
    now = self._clock()
    self.rate = (done - self._done) / max(now - self._time, 1e-9)
    self._done, self._time = done, now
    text = f"{self.rate:,.0f} {self.unit}/s"
    if self.total is None or self.rate <= 0:
      return text
    return f"{text} | {format_seconds(max(self.total - done, 0) / self.rate)} left"


def format_seconds(seconds: float) -> str:
  """Returns seconds as hours, minutes and seconds.

  >>> from yt8m.core import progress
  >>> progress.format_seconds(3723)
  '1:02:03'
  """
  minutes, seconds = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f"{hours}:{minutes:02}:{seconds:02}"


class Periodic:
  """Reports the progress of a loop, at most once in a number of seconds.

  >>> from yt8m.core import progress
  >>> report = progress.Periodic(10.0, total=1000)
  >>> for done in range(1000):
  ...   for line in report(done):
  ...     print(line)

  Args:
    seconds: Time between two reports.
    total: Amount of work in all, or None if it is not known.
    unit: Name of what is counted, e.g. `"examples"`.
  """

  def __init__(self, seconds: float, total: float | None = None, unit: str = "examples"):
    self._seconds, self._progress = seconds, Progress(total, unit)
    self._last = time.monotonic()

  def __call__(self, done: float) -> list[str]:
    """Returns `[report]` if a report is due, and `[]` otherwise."""
    if time.monotonic() - self._last < self._seconds:
      return []
    self._last = time.monotonic()
    return [self._progress.report(done)]
