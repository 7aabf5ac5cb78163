# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the filter of stderr leaves out, and that everything else arrives."""

import os
import signal
import subprocess
import sys

import pytest

from tests.helpers import support

START = """
import os, subprocess, sys
from yt8m.core import stderr_filter
stderr_filter.install({words!r}, without_ray={without_ray})
"""
FOREIGN = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1796027446.422085   18444 port.cc:153] oneDNN custom operations are on.
I0000 00:00:1796027446.422414   18444 cudart_stub.cc:31] Could not find cuda drivers.
2024-01-01 10:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations
I0000 00:00:1796027154.455487   31255 cpu_feature_guard.cc:227] This TensorFlow binary is
To enable the following instructions: AVX2, in other operations, rebuild TensorFlow with t
E0000 00:00:1796027446.999950 18444 cuda_platform.cc:52] failed call to cuInit: CUDA \
error: Failed call to cuInit: UNKNOWN ERROR (303)
E0000 00:00:1796027446.205462   20600 node_def_util.cc:682] NodeDef mentions attribute \
use_unbounded_threadpool which is not in the op definition: Op<name=MapDataset>
2024-01-01 10:00:00.123456: W tensorflow/core/framework/local_rendezvous.cc:404] Local \
rendezvous is aborting with status: OUT_OF_RANGE: End of sequence
W0000 00:00:1796031547.976556    9017 local_rendezvous.cc:412] Local rendezvous is \
aborting with status: INVALID_ARGUMENT: assertion failed: []
\t [[{{function_node cond_cond_1_true_1465}}{{node cond/cond_1/Assert/Assert}}]]
INFO:tensorflow:Assets written to: model/assets
\x1b[36m(ProxyActor pid=31277)\x1b[0m WARNING: All log messages before \
absl::InitializeLog() is called are written to STDERR
(ServeReplica:yt8m:default pid=7, ip=10.0.0.1) I0000 00:00:1.5   3 port.cc:153] oneDNN
"""
OURS = """\
08:00:00 step 1
WARNING: something else
E0000 00:00:1796027446.999950   18444 node_def_util.cc:700] No such attribute
E0000 00:00:1796027446.999950   18444 cuda_platform.cc:52] failed call to cuInit: \
CUDA_ERROR_INVALID_DEVICE
W0000 00:00:1796027446.999950   18444 cpu_allocator.cc:84] Allocation exceeds 10%
F0000 00:00:1796027446.999950   18444 tensor.cc:1] Check failed
\x1b[36m(ServeReplica pid=3)\x1b[0m 08:00:00 Version 1 is served.

Traceback (most recent call last):
"""


def run(code, words=(), without_ray=False, **arguments):
  return subprocess.run(
      [sys.executable, "-c", START.format(words=list(words), without_ray=without_ray)
       + code], capture_output=True, text=True, cwd=support.ROOT, **arguments)


def test_only_known_lines_are_left_out():
  text = FOREIGN + OURS + FOREIGN + "the last line"
  assert run(f"os.write(2, {text!r}.encode())").stderr == OURS + "the last line"


@pytest.mark.parametrize("words", [["--verbosity=1"], ["-v", "1"], ["--v=2"]])
def test_verbosity_brings_everything_back(words):
  assert run(f"os.write(2, {FOREIGN!r}.encode())", words).stderr == FOREIGN
  assert run("print(os.environ.get('TF_CPP_MIN_LOG_LEVEL'))", words,
             env={"PATH": os.environ["PATH"]}).stdout == "None\n"


@pytest.mark.parametrize("end", [
    "os.abort()", "os.kill(os.getpid(), 9)", "os._exit(3)", "raise ValueError", ""])
def test_what_is_written_last_arrives_however_it_ends(end):
  process = run(f"os.write(2, {FOREIGN!r}.encode() + b'first\\nlast')\n{end}")
  assert process.stderr.startswith("first\nlast")
  assert ("Traceback" in process.stderr) == ("raise" in end)
  assert (process.returncode == 0) == (not end)


def test_at_the_end_all_has_arrived_though_a_child_lives(tmp_path):
  code = (START.format(words=[], without_ray=False)
          + "child = subprocess.Popen(['sleep', '100'], stdout=subprocess.DEVNULL)\n"
          + f"print(child.pid)\nos.write(2, {FOREIGN!r}.encode() + b'last')")
  with (tmp_path / "log").open("wb") as log:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                               stderr=log, cwd=support.ROOT)
    child = int(process.stdout.readline())
    try:
      assert process.wait(60) == 0
      assert (tmp_path / "log").read_text() == "last"
      os.kill(child, 0)
    finally:
      os.kill(child, signal.SIGTERM)


def test_a_part_of_a_line_arrives_at_once_and_once():
  process = subprocess.Popen(
      [sys.executable, "-c", START.format(words=[], without_ray=False)
       + "os.write(2, b'a question? ')\ninput()\nos.write(2, b'answered\\nend\\n')"],
      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      cwd=support.ROOT)
  assert os.read(process.stderr.fileno(), 100) == b"a question? "
  _, rest = process.communicate(b"\n", timeout=60)
  assert rest == b"answered\nend\n"


def test_children_are_filtered_once_and_those_with_another_stderr_again(tmp_path):
  child = START.format(words=[], without_ray=False) + (
      "os.write(2, b'INFO:tensorflow: x\\n')\n"
      "print(stderr_filter._State.pid == os.getpid(), flush=True)")
  process = run(f"child = [sys.executable, '-c', {child!r}]\n"
                "subprocess.run(child)\n"
                f"subprocess.run(child, stderr=open({str(tmp_path / 'log')!r}, 'w'))")
  assert (process.stdout, process.stderr) == ("False\nTrue\n", "")
  assert (tmp_path / "log").read_text() == ""


def test_json_of_a_process_of_ray_is_bare_if_asked():
  bare = '{"time": "now", "level": "INFO"}'
  text = f"\x1b[36m(ServeReplica:yt8m:default pid=7)\x1b[0m {bare}\n"
  code = f"os.write(2, {text!r}.encode())"
  assert run(code, without_ray=True).stderr == bare + "\n"
  assert run(code).stderr == text


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_without_a_stderr_the_command_works(redirection):
  code = START.format(words=[], without_ray=False) + "print('done')"
  process = subprocess.run(
      ["sh", "-c", f'"$0" -c "$1" {redirection}', sys.executable, code],
      capture_output=True, text=True, cwd=support.ROOT)
  assert (process.returncode, process.stdout) == (0, "done\n")
