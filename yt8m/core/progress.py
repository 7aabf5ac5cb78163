# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rate and remaining time of long-running work, in the log or on a live line."""

import collections
import time
from collections.abc import Callable
from typing import Any

from absl import logging

from yt8m.core import live_line
from yt8m.core import log_lines

_LIVE_SECS = 0.2  # between two updates of the live line
_RATE_SECS = 10.0  # whose rate the live line shows


class Progress:
  """Turns counts of work done into a rate and the time left.

  The rate is that since the last report, so that a slow start (tracing, filling a
  shuffle buffer) does not distort the forecast.

  Args:
    total: Amount of work in all, or None if it is not known.
    unit: Name of what is counted, e.g. `"examples"`.
    done: Amount of work that was done before this process started.
    clock: Function that returns the time in seconds.
    seconds: Time that the rate is taken over, if reports are more frequent.

  Attributes:
    rate: Amount of work a second, at the last report.
    seconds_left: Remaining time, at the last report; None if it is not known.
  """

  def __init__(self, total: float | None = None, unit: str = "examples", done: float = 0,
               clock: Callable[[], float] = time.monotonic, seconds: float = 0.0):
    self.total, self.unit, self._clock = total, unit, clock
    self._seconds = seconds
    self._reports = collections.deque([(clock(), done)])
    self.rate, self.seconds_left = 0.0, None

  def report(self, done: float) -> str:
    """Returns e.g. `"1,234 examples/s | 0:12:34 left"`.

    Args:
      done: Amount of work done so far, by earlier processes too.
    """
    now = self._clock()
    self._reports.append((now, done))
    while len(self._reports) > 2 and now - self._reports[1][0] >= self._seconds:
      self._reports.popleft()
    began, before = self._reports[0]
    self.rate = (done - before) / max(now - began, 1e-9)
    rate = f"{self.rate:,.0f}" if self.rate >= 10 else f"{self.rate:.2g}"
    text = f"{rate} {self.unit}/s"
    if self.total is None or self.rate <= 0:
      self.seconds_left = None
      return text
    self.seconds_left = max(self.total - done, 0) / self.rate
    return f"{text} | {format_seconds(self.seconds_left)} left"

  def fields(self) -> dict[str, float | None]:
    """Returns the numbers of the last report, for a line of the log."""
    return {"rate": self.rate, "seconds_left": self.seconds_left}


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
  """Reports the progress of a loop, on the live line of a terminal or else in the log.

  >>> from yt8m.core import progress
  >>> with progress.Periodic(10.0, total=1000) as report:
  ...   for done in range(1000):
  ...     report(done, f"{done} examples")

  Args:
    seconds: Time between two lines of the log; None for none.
    total: Amount of work in all, or None if it is not known.
    unit: Name of what is counted, e.g. `"examples"`.
    done: Amount of work that was done before this process started.

  Attributes:
    is_live: Whether it shows the live line.
    progress: Rate and time left.
  """

  def __init__(self, seconds: float | None, total: float | None = None,
               unit: str = "examples", done: float = 0):
    self.is_live = live_line.is_allowed()
    self._secs = _LIVE_SECS if self.is_live else seconds
    self.progress = Progress(
        total, unit, done, seconds=_RATE_SECS if self.is_live else 0.0)
    self._last = time.monotonic()

  def __call__(self, done: float, text: str = "", **fields: Any) -> None:
    """Reports, if that is due.

    Args:
      done: Amount of work done so far.
      text: Text before the rate; "" for none.
      **fields: Numbers of the text, for `--log_json`.
    """
    if not self.is_due():
      return
    pace = self.progress.report(done)
    line = f"{text} | {pace}" if text else pace
    if self.is_live:
      live_line.show(line, done, self.progress.total)
    else:
      logging.info("%s", line,
                   extra=log_lines.numbers(**fields, **self.progress.fields()))
    self._last = time.monotonic()

  def is_due(self) -> bool:
    """Returns whether a call reports, for a text that takes time."""
    return (self._secs is not None
            and time.monotonic() - self._last >= self._secs)

  def __enter__(self) -> "Periodic":
    return self

  def __exit__(self, *exception: Any) -> None:
    self.close()

  def close(self) -> None:
    """Erases the live line."""
    if self.is_live:
      live_line.clear()
