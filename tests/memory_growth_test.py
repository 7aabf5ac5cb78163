# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""500 steps of training take no more memory than 300 steps."""

import json
import subprocess
import sys

import pytest

from tests.helpers import support

# MiB. A batch has 2, the gradients and predictions of a step as much: a leak of one of
# them a step would be 400. The first checkpoint and the first logs come before.
_NOISE = 20


@pytest.mark.long
def test_memory_of_500_steps():
  process = subprocess.run(
      [sys.executable, "-m", "tests.helpers.memory_growth"], env=support.ENVIRONMENT,
      cwd=support.ROOT, capture_output=True, text=True)
  assert process.returncode == 0, process.stderr
  resident = json.loads(process.stdout.splitlines()[-1])
  assert resident["500"] - resident["300"] < _NOISE, resident
