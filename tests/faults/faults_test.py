# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A few faults of two commands; `make test-faults` tries all commands at many points."""

import subprocess
import sys

import pytest

from tests.faults import driver
from tests.helpers import support


@pytest.mark.long
def test_a_few_faults_lose_nothing():
  process = subprocess.run(
      [sys.executable, "-m", "tests.faults.driver", "--points=3", "--others=6",
       "--cases=label sets,inference csv"], env=support.ENVIRONMENT, cwd=support.ROOT,
      capture_output=True, text=True)
  assert process.returncode == 0, process.stdout + process.stderr
  if "skipped" not in process.stdout:
    assert "| label sets | kill | " in process.stdout
    assert "| 3 | 3 | 0 | 0 |" in process.stdout


def test_points_are_spread_from_the_first_to_the_last():
  assert driver.spread(3, 101) == [1, 51, 101]
  assert driver.spread(5, 3) == [1, 2, 3]
  assert driver.spread(1, 9) == [1]
  assert driver.spread(0, 9) == []
