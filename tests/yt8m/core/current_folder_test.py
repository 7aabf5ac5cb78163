# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands that start in a folder of somebody else run nothing of it."""

import json
import os
import pkgutil
import re
import shutil
import signal
import subprocess
import sys

import pytest
import tensorflow as tf

from tests.helpers import processes
from tests.helpers import serving
from tests.helpers import small_job
from tests.helpers import support
from yt8m.core import commands
from yt8m.core import current_folder

# There, children cannot be kept out of the current folder (docs/security.md).
needs_safe_path = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 does not know PYTHONSAFEPATH")
RUNNERS = [["--num_processes=2"],
           pytest.param(["--runner=ray", "--num_processes=1"], marks=pytest.mark.long)]


# A library of kernels that leaves a trace when it is loaded.
LIBRARY = """
#include <cstdio>
#include "tensorflow/core/platform/platform_strings.h"
TF_PLATFORM_STRINGS()
__attribute__((constructor)) static void leave_trace() {
  FILE* file = fopen(TRACE, "a");
  fputs("kernels", file);
  fclose(file);
}
"""
# What TensorFlow takes for the program in processes of Ray, `python -m`, multiprocessing.
PROGRAMS = [".", "probe", *commands.COMMANDS.values(), *(
    f"from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd={tracker}, "
    f"pipe_handle={pipe})" for tracker in range(5, 30) for pipe in range(5, 40))]
COMPILER = shutil.which("c++") or shutil.which("g++")


class Stranger:
  """A folder with all the code that a process could find there, and its trace.

  There is a module of every name that anything could import, a configuration of
  matplotlib, and a library of kernels wherever TensorFlow may look for one.
  """

  def __init__(self, folder, scripts):
    self.folder, self.trace, self._scripts = folder, scripts / "trace", scripts
    names = set(sys.stdlib_module_names) | {m.name for m in pkgutil.iter_modules()}
    for name in filter(str.isidentifier, names):
      (folder / f"{name}.py").write_text(
          f"open({str(self.trace)!r}, 'a').write({name!r})")
    (folder / "matplotlibrc").write_text("no.such.key: 1\n")
    if COMPILER:
      library, source = scripts / "libtfkernel_x.so", scripts / "kernels.cc"
      source.write_text(f"#define TRACE {json.dumps(str(self.trace))}{LIBRARY}")
      subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, source,
                      f"-I{tf.sysconfig.get_include()}"], check=True)
      for program in PROGRAMS:
        kernels = folder / program / "tensorflow" / "core" / "kernels"
        kernels.mkdir(parents=True)
        (kernels / library.name).symlink_to(library)

  def start(self, command, *arguments, log, **options):
    """Starts a command here as an installed script."""
    script = self._scripts / command
    script.write_text(f"from {commands.COMMANDS[command]} import run\n"
                      "if __name__ == '__main__':\n  run()\n")
    return subprocess.Popen(
        [sys.executable, script, *map(str, arguments)], cwd=self.folder, stdout=log,
        stderr=subprocess.STDOUT, env=support.ENVIRONMENT, **options)

  def run(self, command, *arguments):
    log = self._scripts / "log"
    with log.open("w") as file:
      code = self.start(command, *arguments, log=file).wait(300)
    assert code == 0, log.read_text()
    self.check(log.read_text())

  def check(self, output):
    assert "no.such.key" not in output, output
    assert not self.trace.exists(), self.trace.read_text()


@pytest.fixture
def stranger(tmp_path):
  (tmp_path / "stranger").mkdir()
  (tmp_path / "scripts").mkdir()
  return Stranger(tmp_path / "stranger", tmp_path / "scripts")


@needs_safe_path
def test_the_folder_is_hostile(stranger, tmp_path):
  subprocess.run([sys.executable, "-c", "import wave"], cwd=stranger.folder, check=False,
                 env=support.ENVIRONMENT)
  # Python 3.13 itself imports others from there, for -c.
  assert re.search("wave|linecache", stranger.trace.read_text())
  stranger.trace.unlink()
  script = tmp_path / "scripts" / "draw.py"
  script.write_text("import matplotlib\n")
  done = subprocess.run(
      [sys.executable, str(script)], cwd=stranger.folder, capture_output=True, text=True,
      check=True, env=support.ENVIRONMENT)
  assert "no.such.key" in done.stderr
  if COMPILER:
    (tmp_path / "scripts" / "probe.py").write_text(
        "import sys\nsys.path.pop(0)\nimport tensorflow as tf\ntf.constant(1) + 1")
    subprocess.run(
        [sys.executable, "-m", "probe"], cwd=stranger.folder, check=True, env={
            **support.ENVIRONMENT, "PYTHONSAFEPATH": "1",
            "PYTHONPATH": str(tmp_path / "scripts")})
    assert stranger.trace.read_text() == "kernels"


@needs_safe_path
@pytest.mark.parametrize("runner", RUNNERS)
def test_prediction(stranger, runner):
  if runner[0] == "--runner=ray":
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'yt8m[ray]'")
  small_job.write_model(stranger.folder / "model")
  small_job.write_record_files(stranger.folder / "records", [3, 2])
  # Relative paths also hold in the processes.
  stranger.run("yt8m-inference", "--train_dir=model", "--input_data_pattern=records/*",
               "--output_file=out.csv", *runner)
  assert (stranger.folder / "out.csv").read_text().count("\n") == 6


@needs_safe_path
@pytest.mark.long
def test_ablation(stranger, tmp_path):
  small_job.write_record_files(tmp_path / "records", [30])
  (stranger.folder / "table.json").write_text(json.dumps({
      "name": "t", "title": "T", "common": {
          "train_data_pattern": f"{tmp_path}/records/*", "feature_names": "x",
          "feature_sizes": str(small_job.SIZE), "num_classes": small_job.NUM_CLASSES,
          "batch_size": 8, "max_steps": 2},
      "evaluate": {"eval_data_pattern": f"{tmp_path}/records/*"},
      "rows": [{"name": "r", "flags": {}}]}))
  stranger.run("yt8m-ablation", "--table=table.json", "--output_dir=out", "--seeds=1")
  log = (stranger.folder / "out" / "t" / "r" / "seed-0" / "log.txt").read_text()
  stranger.check(log)


@needs_safe_path
@pytest.mark.long
def test_server(stranger):
  pytest.importorskip("ray", reason="Ray is not installed: pip install 'yt8m[ray]'")
  serving.save("classifier-moe", stranger.folder / "model" / "1")
  log = stranger.folder / "log"
  with log.open("w") as file:
    server = stranger.start("yt8m-serve", "--model_dir=model", "--num_cpus=1",
                            f"--port={serving.free_port()}", log=file)
  try:
    processes.wait_for(lambda: "Ready: " in log.read_text(), server)
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
  finally:
    server.kill()
  stranger.check(log.read_text())


def test_a_folder_on_the_path_stays(tmp_path, monkeypatch):
  monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
  monkeypatch.chdir(tmp_path)
  with current_folder.left():
    assert os.getcwd() == os.path.abspath(os.sep)
  assert os.getcwd() == str(tmp_path)
  for entry in ("", str(tmp_path)):
    monkeypatch.setattr(sys, "path", [entry, *sys.path])
    with current_folder.left():
      assert os.getcwd() == str(tmp_path)
    current_folder.keep_out()
    assert "PYTHONSAFEPATH" not in os.environ


def test_a_deleted_folder(tmp_path, monkeypatch):
  (tmp_path / "gone").mkdir()
  monkeypatch.chdir(tmp_path / "gone")
  (tmp_path / "gone").rmdir()
  assert not current_folder.is_on_path()
