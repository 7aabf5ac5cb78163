# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every option trained on two replicas ends with the weights that one gives it.

Beside tests/conformance_test.py, so that the two run at the same time.
"""

import json
import subprocess
import sys

import pytest

from tests.helpers import descriptors
from tests.helpers import support


@pytest.fixture(scope="module")
def replica_results():
  """Every case trained on one device and on two, in a process of its own.

  A process can hold one strategy only.
  """
  script = support.ROOT / "tests/helpers/two_replicas.py"
  output = subprocess.run(
      [sys.executable, str(script)], capture_output=True, text=True, timeout=1200,
      cwd=support.ROOT)
  assert output.returncode == 0, output.stderr[-3000:]
  return json.loads(output.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", descriptors.replica_cases())
def test_two_replicas_equal_one(case, replica_results):
  assert case in replica_results, "the option was not trained on two replicas"
  assert replica_results[case] < 1e-4
