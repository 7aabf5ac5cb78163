# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training on two replicas ends with the same weights as training on one.

A file apart from tests/conformance_test.py, so that both can run at the same time.
"""

import json
import subprocess
import sys

import pytest

from tests.helpers import descriptors
from tests.helpers import support


@pytest.fixture(scope="module")
def replica_results():
  """Trains every case on one device and on two, in a separate process.

  A process can have one strategy only.
  """
  script = support.ROOT / "tests/helpers/two_replicas.py"
  output = subprocess.run(
      [sys.executable, str(script)], capture_output=True, text=True, timeout=1200,
      cwd=support.ROOT)
  assert output.returncode == 0, output.stderr[-3000:]
  return json.loads(output.stdout.splitlines()[-1])


@pytest.mark.long
@pytest.mark.parametrize("case", descriptors.replica_cases())
def test_two_replicas_equal_one(case, replica_results):
  assert case in replica_results, "the option was not trained on two replicas"
  assert replica_results[case] < 1e-4
