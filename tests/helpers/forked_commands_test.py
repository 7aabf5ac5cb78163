# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A forked command behaves like a process that a shell starts."""

import signal

from tests.helpers import forked_commands
from tests.helpers import full_disk


def run(code, timeout=60, **environment):
  """Runs Python code through a command of the standard library that accepts code."""
  return forked_commands.run("timeit", ["-n1", "-r1", "-s", code], environment, timeout)


def test_it_has_output_environment_and_its_own_modules():
  process = run("import os, sys; print('one'); os.write(1, b'two\\n'); "
                "print(os.environ['NAME'], file=sys.stderr); "
                "print('tensorflow' in sys.modules, [name for name in sys.modules "
                "if name.split('.')[0] == 'yt8m'], sys.argv[1:3])", NAME="ü")
  assert process.returncode == 0 and process.stderr == "ü\n"
  lines = process.stdout.splitlines()
  assert {"one", "two", "True [] ['-n1', '-r1']"} < set(lines)


def test_its_status_is_that_of_the_process():
  process = forked_commands.run("json.tool", ["--bogus"], {}, 60)
  assert process.returncode == 2 and process.stderr.startswith("usage: ")
  process = run("{}['key']")
  assert process.returncode == 1 and "KeyError: 'key'" in process.stderr
  process = run("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
  assert process.returncode == -signal.SIGTERM


def test_it_has_the_limits_of_the_caller_and_random_numbers_of_its_own(tmp_path):
  draw = ("import numpy, pathlib; "
          f"pathlib.Path('{tmp_path}/x').write_text(str(numpy.random.random()))")
  drawn = set()
  for _ in range(2):
    assert run(draw).returncode == 0
    drawn.add((tmp_path / "x").read_text())
  assert len(drawn) == 2
  with full_disk.full_disk(after=1):
    assert "File too large" in run(draw).stderr


def test_one_that_hangs_is_killed():
  process = run("import threading; print(1, flush=True); threading.Event().wait()",
                timeout=3)
  assert process.returncode == -signal.SIGKILL and process.stdout == "1\n"
