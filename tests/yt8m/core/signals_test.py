# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Signals end a program with one line and their status, whatever it is doing."""

import signal
import subprocess
import sys
import time

import pytest

from tests.helpers import processes
from tests.helpers import support

STARTS = """
import os, sys, threading, time
from yt8m.core import signals
def ready():
  print("ready", flush=True)
"""
# What `command.run` does, without TensorFlow.
GUARDED = STARTS + """
signals.install()
try:
  with signals.raising(secs=1):
    main()
except BaseException as error:
  if number := signals.received():
    signals.end(number)
  raise
"""
LINE = "Stopped by {}: nothing half-written is left."


def start(code):
  process = subprocess.Popen(
      [sys.executable, "-c", code], env=support.ENVIRONMENT, cwd=support.ROOT,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
  assert process.stdout.readline() == "ready\n"
  return process


def guarded(main):
  return GUARDED.replace("signals.install()", f"{main}\nsignals.install()", 1)


def test_code_that_tensorflow_has_generated_is_removed(tmp_path):
  path = tmp_path / "__autograph_generated_file1.py"
  path.touch()
  process = start(guarded(f"""
def main():
  sys.path.append({str(tmp_path)!r})
  import __autograph_generated_file1
  ready()
  time.sleep(100)
"""))
  process.terminate()
  process.communicate(timeout=10)
  assert process.returncode == 143 and not path.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_context_managers_clean_up_and_the_status_is_that_of_the_signal(number):
  process = start(guarded("""
def main():
  try:
    ready()
    time.sleep(100)
  finally:
    print("clean", flush=True)
"""))
  process.send_signal(number)
  output, errors = process.communicate(timeout=10)
  assert process.returncode == 128 + number and output == "clean\n"
  assert errors.startswith(LINE.format(signal.Signals(number).name))
  assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("main", [
    # No handler of Python runs while the main thread is in such a call.
    "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    "while True:\n    try: time.sleep(100)\n    except BaseException: pass",
    "thread = threading.Thread(target=time.sleep, args=(100,)); thread.start()"])
def test_it_ends_soon_though_the_main_thread_hangs(main, tmp_path):
  half = tmp_path / "half"
  half.mkdir()
  process = start(guarded(f"signals.remove_if_stopped({str(half)!r})\n"
                          f"def main():\n  ready()\n  {main}\n  thread.join()"))
  process.send_signal(signal.SIGTERM)
  _, errors = process.communicate(timeout=10)
  assert process.returncode == 143 and errors.startswith(LINE.format("SIGTERM"))
  assert not half.exists()


def test_an_error_that_a_signal_causes_is_not_shown():
  process = start(guarded("""
def main():
  try:
    ready()
    time.sleep(100)
  except KeyboardInterrupt:
    raise ValueError("Incompatible dataset elements")
"""))
  process.send_signal(signal.SIGINT)
  _, errors = process.communicate(timeout=10)
  assert process.returncode == 130 and "Incompatible" not in errors


def test_a_signal_in_a_finalizer_is_not_lost():
  process = start(guarded("""
class Slow:
  def __del__(self):
    ready()
    time.sleep(100)
def main():
  signals._State.secs = 60
  Slow()
  time.sleep(100)
"""))
  process.send_signal(signal.SIGTERM)
  _, errors = process.communicate(timeout=10)
  assert process.returncode == 143 and errors.startswith(LINE.format("SIGTERM"))


def test_a_second_signal_ends_it_at_once_but_not_one_that_follows_the_first():
  main = """
def main():
  with signals.deferred() as received:
    ready()
    while not received:
      time.sleep(0.01)
    print("saving", flush=True)
    time.sleep(SECS)
  sys.exit(128 + received[0])
"""
  process = start(guarded(main.replace("SECS", "2")))
  process.send_signal(signal.SIGTERM)
  process.send_signal(signal.SIGTERM)
  assert process.communicate(timeout=10)[0] == "saving\n"
  assert process.returncode == 143
  process = start(guarded(main.replace("SECS", "100")))
  process.send_signal(signal.SIGTERM)
  assert process.stdout.readline() == "saving\n"
  time.sleep(1)
  process.send_signal(signal.SIGINT)
  process.communicate(timeout=5)
  assert process.returncode == 130


def test_an_ignored_signal_stays_ignored():
  process = start("import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
                  + guarded("def main():\n  ready(); time.sleep(1); os._exit(7)"))
  process.send_signal(signal.SIGHUP)
  assert process.wait(timeout=10) == 7


def test_a_library_leaves_signals_alone():
  code = ("import signal; before = signal.getsignal(signal.SIGTERM); import yt8m.core; "
          "from yt8m.core import signals\nwith signals.deferred(): pass\n"
          "print('ready'); assert signal.getsignal(signal.SIGTERM) == before")
  assert start(code).wait(timeout=10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_stops_with_one_line_while_it_loads_tensorflow(number, tmp_path):
  log = tmp_path / "log"
  with processes.started("yt8m.train", "--train_dir=x", "--train_data_pattern=/",
                         log=log) as process:
    processes.wait_for(lambda: "numpy" in maps(process.pid), process)
    process.send_signal(number)
    assert process.wait(timeout=10) == 128 + number
  *tensorflow, line = log.read_text().splitlines()
  assert line.startswith(LINE.format(signal.Signals(number).name))
  assert not any("Traceback" in other for other in tensorflow)


def maps(pid):
  """Returns the names of the libraries that a process has loaded, among other things."""
  with open(f"/proc/{pid}/maps") as file:
    return file.read()
