# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a command prints when Python ends."""

import signal
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


def test_a_signal_in_a_destructor_is_not_lost():
  process = subprocess.run([sys.executable, "-c", """
import os, signal, time
from yt8m.core import command

class Noisy:
  def __del__(self):
    os.kill(os.getpid(), signal.SIGTERM)

def main():
  noisy = Noisy()
  del noisy
  time.sleep(20)
  print("not stopped")

command.run(main)
"""], capture_output=True, text=True)
  assert process.returncode == 128 + signal.SIGTERM and not process.stdout
  assert process.stderr.count("Stopped by SIGTERM") == 1
  assert "Traceback" not in process.stderr


@pytest.mark.parametrize("name, shown", [("Pool", False), ("Other", True)])
def test_an_error_of_a_thread_pool_at_the_end_is_not_shown(name, shown):
  process = subprocess.run([sys.executable, "-c", CODE.format(name=name)],
                           capture_output=True, text=True)
  assert process.returncode == 0
  assert ("Bad file descriptor" in process.stderr) == shown
