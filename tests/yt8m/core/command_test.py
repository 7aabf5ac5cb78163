# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a command prints when Python ends."""

import subprocess
import sys

import pytest

CODE = """
import sys
from yt8m.core import command

command._log_plainly()

class {name}:
  def __del__(self):
    raise OSError(9, "Bad file descriptor")

kept = {name}()
"""


@pytest.mark.parametrize("name, shown", [("Pool", False), ("Other", True)])
def test_an_error_of_a_thread_pool_at_the_end_is_not_shown(name, shown):
  process = subprocess.run([sys.executable, "-c", CODE.format(name=name)],
                           capture_output=True, text=True)
  assert process.returncode == 0
  assert ("Bad file descriptor" in process.stderr) == shown
