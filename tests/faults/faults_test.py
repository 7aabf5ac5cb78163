# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A few faults of some commands; `make test-faults` tries all commands at many points."""

import re
import subprocess
import sys

import pytest

from tests.faults import driver
from tests.helpers import support


@pytest.mark.parametrize("names, points, others", [
    ("label sets", 2, 0),
    pytest.param("label sets,inference csv", 3, 6, marks=pytest.mark.long),
    pytest.param("inference npz,inference tfrecord", 4, 0, marks=pytest.mark.long),
    pytest.param("extract", 3, 6, marks=pytest.mark.long),
    pytest.param("eval --choose_thresholds,export --versioned", 3, 6,
                 marks=pytest.mark.long)])
def test_a_few_faults_lose_nothing(names, points, others):
  process = subprocess.run(
      [sys.executable, "-m", "tests.faults.driver", f"--points={points}",
       f"--others={others}", f"--cases={names}"], env=support.ENVIRONMENT,
      cwd=support.ROOT, capture_output=True, text=True)
  assert process.returncode == 0, process.stdout + process.stderr
  if "skipped" in process.stdout:
    return
  for name in names.split(","):
    for kind, count in ("kill", points), ("signal", others):
      assert not count or re.search(
          rf"\| {name} \| {kind} \| \d+ \| {count} \| {count} \| 0 \| 0 \|",
          process.stdout), process.stdout


def test_points_are_spread_from_the_first_to_the_last():
  assert driver.spread(3, 101) == [1, 51, 101]
  assert driver.spread(5, 3) == [1, 2, 3]
  assert driver.spread(1, 9) == [1]
  assert driver.spread(0, 9) == []
