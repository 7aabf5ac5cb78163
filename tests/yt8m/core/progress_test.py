# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rates and remaining time, on a simulated clock."""

import pytest

from yt8m.core import progress


class Clock:
  now = 0.0

  def __call__(self):
    return self.now


def test_rate_is_of_the_last_interval_and_time_left_follows_from_it():
  clock = Clock()
  report = progress.Progress(total=1000, unit="videos", clock=clock)
  clock.now = 10.0
  assert report.report(100) == "10 videos/s | 0:01:30 left"
  clock.now = 11.0
  assert report.report(200) == "100 videos/s | 0:00:08 left"


def test_work_of_an_earlier_process_does_not_count():
  clock = Clock()
  report = progress.Progress(total=1000, done=500, clock=clock)
  clock.now = 10.0
  assert report.report(600) == "10 examples/s | 0:00:40 left"


def test_unknown_total_gives_no_forecast():
  clock = Clock()
  report = progress.Progress(clock=clock)
  clock.now = 2.0
  assert report.report(10) == "5 examples/s"


@pytest.mark.parametrize("seconds, text", [(0, "0:00:00"), (3723.4, "1:02:03")])
def test_format_seconds(seconds, text):
  assert progress.format_seconds(seconds) == text
