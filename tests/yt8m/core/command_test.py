# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Words that are no flags, and what a command prints when Python ends."""

import signal
import subprocess
import sys

import pytest

from tests.helpers import support

CODE = """
import sys
from yt8m.core import command

command._log_plainly()

class {name}:
  def __del__(self):
    raise OSError(9, "Bad file descriptor")

kept = {name}()
"""


@pytest.mark.parametrize("given, flag", [
    (["--train_data_pattern", "{0}", "{1}", "--train_dir=m"], "--train_data_pattern"),
    (["--train_dir=m", "--train_data_pattern={0}", "{1}"], "--train_data_pattern"),
    (["{0}", "{1}", "--train_dir=m"], "--flag")])
def test_a_pattern_without_quotes_is_one_clear_line(tmp_path, given, flag):
  files = [tmp_path / f"train-{n}-of-2.tfrecord" for n in (0, 1)]
  for file in files:
    file.touch()
  process = support.run_command(
      "yt8m.train", *(word.format(*files) for word in given), check=False)
  [line] = process.stderr.splitlines()
  assert process.returncode == 1 and not process.stdout
  assert line.startswith(f"ERROR: {tmp_path}/train-")
  assert " is a file without a flag. " in line
  assert line.endswith(f"such as {flag}='{tmp_path}/train-*.tfrecord'.")


def test_another_word_is_one_clear_line():
  process = support.run_command("yt8m.train", "--train_dir=m", "epochs=3", check=False)
  assert process.returncode == 1 and process.stderr == (
      "ERROR: Unexpected argument 'epochs=3': flags begin with --, as --name=value.\n")


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
