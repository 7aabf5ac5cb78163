# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Times of alternatives in turns: medians of elapsed and of CPU seconds."""

import dataclasses
import os
import resource
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import numpy as np

TURNS = 5
MATMUL = 4096  # rows and columns of the large product


@dataclasses.dataclass(frozen=True)
class Times:
  """Seconds of every turn of one alternative.

  Attributes:
    wall: Elapsed seconds.
    cpu: CPU seconds of all threads, user and system.
  """
  wall: tuple[float, ...]
  cpu: tuple[float, ...]

  @property
  def wall_s(self) -> float:
    """Median of the elapsed seconds."""
    return float(np.median(self.wall))

  @property
  def cpu_s(self) -> float:
    """Median of the CPU seconds, which other processes change less."""
    return float(np.median(self.cpu))


def cpu_seconds(children: bool = False) -> float:
  """Returns the CPU seconds of this process so far, and of its ended children."""
  kinds = [resource.RUSAGE_SELF, *([resource.RUSAGE_CHILDREN] if children else [])]
  usages = map(resource.getrusage, kinds)
  return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def in_turns(ways: Mapping[str, Callable[[], Any]], turns: int = TURNS, *,
             warm_up: bool = True, children: bool = False) -> dict[str, Times]:
  """Calls every function once a turn, so that all meet the same other work.

  Args:
    ways: Functions by name. One returns when its work is done.
    turns: Number of turns that count.
    warm_up: Whether one turn more, in which functions are traced, does not count.
    children: Whether CPU seconds of ended child processes count.
  """
  seconds = {name: ([], []) for name in ways}
  for turn in range(turns + warm_up):
    for name, way in ways.items():
      wall, cpu = time.perf_counter(), cpu_seconds(children)
      way()
      if turn >= warm_up:
        seconds[name][0].append(time.perf_counter() - wall)
        seconds[name][1].append(cpu_seconds(children) - cpu)
  return {name: Times(tuple(wall), tuple(cpu)) for name, (wall, cpu) in seconds.items()}


def ratio(times: Mapping[str, Times], over: str, under: str, column: str = "cpu"
          ) -> float:
  """Returns the median over the turns of the seconds of `over` ÷ those of `under`."""
  return float(np.median(np.divide(getattr(times[over], column),
                                   getattr(times[under], column))))


def exponent(sizes: list[float], seconds: list[float]) -> float:
  """Returns the slope of log seconds over log size: 1 if the time is proportional.

  >>> from benchmarks import timing
  >>> round(timing.exponent([1, 2, 4], [3, 12, 48]), 6)
  2.0
  """
  return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def large_product(size: int = MATMUL) -> Callable[[], Any]:
  """Returns a function that multiplies two square float32 matrices with TensorFlow."""
  import tensorflow as tf
  a = tf.random.normal([size, size])
  product = tf.function(lambda: tf.reduce_sum(tf.matmul(a, a)))
  return lambda: product().numpy()


def load() -> str:
  """Returns the load average of the machine over 1, 5 and 15 minutes, as text."""
  return ", ".join(f"{value:.1f}" for value in os.getloadavg())
