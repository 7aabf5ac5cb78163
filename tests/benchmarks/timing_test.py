# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Turns, ratios and exponents of the benchmarks."""

import pytest

from benchmarks import timing


def test_ways_take_turns():
  calls = []
  ways = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
  times = timing.in_turns(ways, 2)
  assert calls == ["a", "b"] * 3  # the first turn does not count
  assert {name: len(t.wall) for name, t in times.items()} == {"a": 2, "b": 2}
  timing.in_turns(ways, 1, warm_up=False)
  assert len(calls) == 8


def test_work_is_seen_in_cpu_seconds():
  times = timing.in_turns(
      {"little": lambda: sum(range(10)), "much": lambda: sum(range(3_000_000))}, 3)
  assert timing.ratio(times, "much", "little") > 1
  assert times["much"].cpu_s > times["little"].cpu_s


def test_ratio_is_the_median_of_the_turns():
  times = {"a": timing.Times((1., 2., 9.), (2., 2., 2.)),
           "b": timing.Times((1., 1., 1.), (1., 2., 4.))}
  assert timing.ratio(times, "a", "b") == 1
  assert timing.ratio(times, "a", "b", "wall") == 2
  assert times["a"].wall_s == 2


@pytest.mark.parametrize("power", [0, 1, 1.5])
def test_exponent(power):
  sizes = [8.0, 16.0, 64.0]
  assert timing.exponent(sizes, [3 * size ** power for size in sizes]
                         ) == pytest.approx(power)
