# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ray loses a worker, then its driver, and two files are corrupt: same bytes."""

import json
import os
import signal
import threading

import pytest

from tests.helpers import processes
from tests.helpers import small_job
from tests.helpers import support
from yt8m.export.prediction import parts as prediction_parts

pytest.importorskip("ray", reason="Ray is not installed: pip install 'yt8m[ray]'")

COMMAND = "yt8m.export.inference"
NUM_FILES = 64


@pytest.mark.long
def test_the_same_bytes_as_the_plain_path(tmp_path):
  train_dir = small_job.write_model(tmp_path / "model")
  files = small_job.write_record_files(
      tmp_path / "records", [3 + i % 5 for i in range(NUM_FILES)])
  bad = [files[11], files[50]]
  for path in bad:
    small_job.break_file(path)
  small_job.add_bad_record(files[-1])
  small_job.add_bad_record(files[-2])
  csv = tmp_path / "out.csv"
  arguments = (
      f"--train_dir={train_dir}", f"--input_data_pattern={tmp_path}/records/*",
      "--top_k=3", "--batch_size=4", f"--output_file={csv}", "--runner=ray",
      "--num_processes=1", "--skip_bad_records")

  def parts():
    return list(tmp_path.glob("out.csv.parts/*.npz"))

  with processes.started(COMMAND, *arguments, log=tmp_path / "log") as driver:
    processes.wait_for(lambda: len(parts()) > 4, driver)
    ours = {driver.pid, *processes.descendants(driver.pid)}
    assert not [command for address, command in processes.listening(ours)
                if set(address) <= {"0"}]  # Open to the network.
    before = workers(driver)
    os.kill(before[0], signal.SIGKILL)
    at_death = len(parts())
    # Another worker continues.
    processes.wait_for(lambda: len(parts()) > at_death + 4, driver)
    assert set(workers(driver)) - set(before)
    driver.send_signal(signal.SIGKILL)
  finished = len(parts())
  assert finished < NUM_FILES - len(bad) and not csv.exists()

  log = support.run_command(COMMAND, *arguments).stderr
  assert f"{NUM_FILES - finished} of {NUM_FILES} files left" in log
  assert ("In the records that were read: bad records left out, with values that are not "
          "finite: 2." in log)
  good = [path for path in files if path not in bad]
  assert csv.read_bytes() == small_job.plain_csv(
      tmp_path / "plain.csv", small_job.job(train_dir, skip_bad_records=True), good)
  letters = json.loads((tmp_path / "out.csv.failed.json").read_text())
  assert [letter["file"] for letter in letters] == bad
  assert all("is cut off or corrupt" in letter["error"] for letter in letters)


@pytest.mark.long
def test_no_thread_calls_ray_after_its_end(tmp_path, monkeypatch):
  from yt8m.export.prediction import ray_runner

  job = small_job.job(small_job.write_model(tmp_path / "model"))
  record_files = small_job.write_record_files(tmp_path / "records", [2] * 9)
  parts = prediction_parts.Parts.open(str(tmp_path / "out.csv"), job)
  before = set(threading.enumerate())
  left = []
  shutdown = ray_runner.ray.shutdown

  def end():
    left.extend(thread.name for thread in set(threading.enumerate()) - before
                if thread.name.startswith(("iter_threaded", "StreamingExecutor")))
    shutdown()

  monkeypatch.setattr(ray_runner.ray, "shutdown", end)
  results = ray_runner.in_ray(parts, record_files, lambda num_videos: None)
  next(results)
  results.close()  # as after an error
  assert not left and not ray_runner.ray.is_initialized()


@pytest.mark.long
def test_a_file_that_no_worker_survives_is_left_out(tmp_path, monkeypatch):
  from yt8m.export.prediction import ray_runner

  class Died(BaseException):
    """Simulates the end of the process."""

  def die(*_):
    raise Died

  monkeypatch.setattr(ray_runner.runners, "finish", die)
  job = small_job.job(small_job.write_model(tmp_path / "model"))
  [file] = small_job.write_record_files(tmp_path / "records", [2])
  parts = prediction_parts.Parts.open(str(tmp_path / "out.csv"), job)
  for _ in range(4):
    with pytest.raises(Died):
      ray_runner._Predictor(parts, "run", os.curdir)({"record_file": file})
  answer = ray_runner._Predictor(parts, "run", os.curdir)({"record_file": file})
  assert "file00.tfrecord: 4 workers died when they predicted it" in answer["error"]
  assert not answer["fatal"] and not parts.is_finished(file)
  with pytest.raises(Died):  # another run tries again
    ray_runner._Predictor(parts, "another run", os.curdir)({"record_file": file})


@pytest.mark.parametrize(("size", "num_gpus", "resources"), [
    (3, 0, {"num_cpus": 1}), (1, 1, {"num_gpus": 1}), (1, 8, {"num_gpus": 1}),
    (2, 2, {"num_gpus": 1}), (3, 2, {"num_gpus": 1 / 2}), (5, 2, {"num_gpus": 1 / 3})])
def test_all_workers_fit_on_the_gpus(size, num_gpus, resources):
  from yt8m.export.prediction import ray_runner

  assert ray_runner._resources(size, num_gpus) == resources


def workers(driver):
  """Returns the processes in which the driver's Ray predicts."""
  return [pid for pid in processes.descendants(driver.pid)
          if processes.command(pid).startswith("ray::MapWorker")]
