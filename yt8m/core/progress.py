# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rate and time left of long work."""

import time


class Progress:
  """Turns counts of work done into a rate and the time left.

  The rate is that of the time since the last report, so that a slow start (tracing,
  filling a shuffle buffer) does not spoil the forecast.

  Args:
    total: amount of work in all; None if unknown.
    unit: what is counted, e.g. `"examples"`.
    done: work done before this process began.
    clock: seconds; a test passes its own.
  """

  def __init__(self, total=None, unit="examples", done=0, clock=time.monotonic):
    self.total, self.unit, self._clock = total, unit, clock
    self._done, self._time = done, clock()
    self.rate = 0.0

  def report(self, done):
    """`"1,234 examples/s | 0:12:34 left"` for the amount `done` in all so far."""
    now = self._clock()
    self.rate = (done - self._done) / max(now - self._time, 1e-9)
    self._done, self._time = done, now
    text = f"{self.rate:,.0f} {self.unit}/s"
    if self.total is None or self.rate <= 0:
      return text
    return f"{text} | {format_seconds(max(self.total - done, 0) / self.rate)} left"


def format_seconds(seconds):
  """`"1:02:03"` for 3723 seconds."""
  minutes, seconds = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f"{hours}:{minutes:02}:{seconds:02}"


class Periodic:
  """Reports on `progress` at most every so many seconds.

  >>> report = Periodic(10.0, Progress(total=1000))
  >>> for done in range(1000):
  ...   for line in report(done):
  ...     logging.info(line)
  """

  def __init__(self, seconds, progress):
    self._seconds, self._progress = seconds, progress
    self._last = time.monotonic()

  def __call__(self, done):
    """Returns `[report]` where one is due, and `[]` otherwise."""
    if time.monotonic() - self._last < self._seconds:
      return []
    self._last = time.monotonic()
    return [self._progress.report(done)]
