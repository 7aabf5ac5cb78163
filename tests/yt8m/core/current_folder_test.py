# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands that start in a folder of somebody else run nothing of it."""

import json
import os
import pkgutil
import signal
import subprocess
import sys

import pytest

from tests.helpers import processes
from tests.helpers import serving
from tests.helpers import small_job
from tests.helpers import support
from yt8m.core import commands
from yt8m.core import current_folder

needs_safe_path = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 does not know PYTHONSAFEPATH")
RUNNERS = [["--num_processes=2"],
           pytest.param(["--runner=ray", "--num_processes=1"], marks=pytest.mark.long)]


class Stranger:
  """A folder with a module of every name that anything could import, and its trace."""

  def __init__(self, folder, scripts):
    self.folder, self.trace, self._scripts = folder, scripts / "trace", scripts
    names = set(sys.stdlib_module_names) | {m.name for m in pkgutil.iter_modules()}
    for name in filter(str.isidentifier, names):
      (folder / f"{name}.py").write_text(
          f"open({str(self.trace)!r}, 'a').write({name!r})")
    (folder / "matplotlibrc").write_text("no.such.key: 1\n")

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


def test_the_folder_is_hostile(stranger):
  subprocess.run([sys.executable, "-c", "import wave"], cwd=stranger.folder, check=False,
                 env=support.ENVIRONMENT)
  assert "wave" in stranger.trace.read_text()
  stranger.trace.unlink()
  done = subprocess.run(
      [sys.executable, "-c", "import sys; sys.path.pop(0); import matplotlib"],
      cwd=stranger.folder, capture_output=True, text=True, check=True,
      env=support.ENVIRONMENT)
  assert "no.such.key" in done.stderr


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
