# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The line of a terminal that is updated in place, and the log above it."""

import re
import subprocess
import sys

import pytest

from tests.helpers import support
from tests.helpers import terminal

CODE = """
import os, sys, time
sys.argv[0] = "yt8m-test"
from absl import logging
import yt8m
from yt8m.core import command, progress

def main():
  with progress.Periodic(0.0, total=30, unit="videos") as report:
    for done in range(1, 31):
      time.sleep(0.05)
      report(done, f"{done} videos", videos=done)
      if done % 10 == 0:
        logging.info("line %d", done)
        os.write(2, b"INFO:tensorflow: foreign\\n")
        os.write(2, b"an error of a library\\n")
  print("the result")

command.run(main)
"""
COMMAND = [sys.executable, "-c", CODE]
ENVIRONMENT = {**support.ENVIRONMENT, "TERM": "xterm"}


def without_times(lines):
  return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines]


def test_one_line_is_updated_in_place_and_the_log_stands_above():
  seen = terminal.run(COMMAND, ENVIRONMENT)
  assert seen.code == 0 and not seen.controls
  logged = [line for number in (10, 20, 30)
            for line in (f"line {number}", "an error of a library")]
  # Lines of libraries take the way through the filter.
  assert sorted(without_times(seen.lines)) == sorted([*logged, "the result", ""])
  assert [line for line in without_times(seen.lines) if "library" not in line] == [
      "line 10", "line 20", "line 30", "the result", ""]
  live = [state for state in seen.states if " videos/s" in state]
  assert len(live) > 3
  assert all(re.search(r"\d+ videos \| [\d.]+ videos/s \| 0:00:0\d left *$", state)
             for state in live)
  assert not [state for state in seen.states if "foreign" in state]


def test_a_narrow_terminal_cuts_the_line():
  seen = terminal.run(COMMAND, ENVIRONMENT, width=24)
  assert "the result" in seen.lines and seen.lines[-1] == ""
  live = [state for state in seen.states if "━" in state or "videos" in state]
  assert live and all(len(state) <= 24 for state in live)


@pytest.mark.parametrize("flags, environment", [
    ((), {"TERM": "dumb"}), (("--verbosity=1",), {})])
def test_plain_lines_where_nothing_can_be_updated(flags, environment):
  seen = terminal.run([*COMMAND, *flags], {**ENVIRONMENT, **environment})
  assert seen.code == 0 and not seen.controls
  assert sum(" videos/s" in line for line in seen.lines) == 30


def test_plain_lines_without_a_terminal():
  process = subprocess.run(COMMAND, env=ENVIRONMENT, capture_output=True, text=True)
  assert process.stdout == "the result\n" and "\x1b" not in process.stderr
  assert process.stderr.count(" videos/s") == 30


def test_quiet_leaves_results_and_errors():
  seen = terminal.run([*COMMAND, "--quiet"], ENVIRONMENT)
  assert sorted(seen.lines) == ["", *["an error of a library"] * 3, "the result"]


def test_a_result_in_a_file_is_not_on_the_terminal(tmp_path):
  with (tmp_path / "result").open("w") as file:
    seen = terminal.run(COMMAND, ENVIRONMENT, stdout=file)
  assert (tmp_path / "result").read_text() == "the result\n"
  assert seen.lines[-1] == "" and "the result" not in seen.lines


def test_a_signal_leaves_no_line_behind():
  code = CODE.replace("if done % 10 == 0:", "if done == 9:\n        os.kill(0, 15)")
  seen = terminal.run([sys.executable, "-c", code], ENVIRONMENT, start_new_session=True)
  assert seen.code == 143 and any(" videos/s" in state for state in seen.states)
  assert len(seen.lines) == 2 and seen.lines[0].startswith("Stopped by SIGTERM")
