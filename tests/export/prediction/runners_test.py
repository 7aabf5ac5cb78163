# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Threads and processes write the same parts, and report every file."""

import collections
import os
import signal

import pytest

from tests.helpers import processes
from tests.helpers import small_job
from yt8m.export.prediction import jobs
from yt8m.export.prediction import parts as prediction_parts
from yt8m.export.prediction import runners

COUNTS = [3, 0, 7, 1, 5]


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  return small_job.write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def paths(tmp_path):
  return small_job.write_record_files(tmp_path, COUNTS)


def run(runner, train_dir, paths, folder, **options):
  job = small_job.job(train_dir, skip_bad_records=True)
  parts = prediction_parts.Parts.open(str(folder / "out"), job)
  counted = []
  finished = list(runner(parts, paths, counted.append, **options))
  return job, parts, {one.record_file: one for one in finished}, sum(counted)


@pytest.mark.parametrize("runner, options", [
    (runners.in_threads, {"num_threads": 1}), (runners.in_threads, {"num_threads": 4}),
    (runners.in_processes, {"num_processes": 2})])
def test_every_file_is_finished_with_the_same_bits(
    runner, options, train_dir, paths, tmp_path):
  small_job.break_file(paths[2])
  small_job.add_bad_record(paths[3])
  small_job.add_bad_record(paths[4])
  job, parts, finished, counted = run(runner, train_dir, paths, tmp_path, **options)
  assert {path: one.num_videos for path, one in finished.items()} == dict(
      zip(paths, [3, 0, 0, 1, 5], strict=True))
  assert sum((collections.Counter(one.incidents) for one in finished.values()),
             collections.Counter()) == {
                 "bad records left out, with values that are not finite": 2,
                 "empty files": 1}
  assert "file02.tfrecord, record 6 is cut off" in finished.pop(paths[2]).error
  assert not parts.is_finished(paths[2])
  for path, one in finished.items():
    assert one.error is None
    found = parts.read(path)
    for name, expected in jobs.predict(job, path).items():
      assert found[name].tobytes() == expected.tobytes()
  assert counted >= 3 + 1 + 5
  jobs.incidents(job)  # those of the predictions here


def test_what_no_file_is_to_blame_for_ends_the_job(train_dir, paths, tmp_path):
  job = small_job.job(train_dir)
  missing = prediction_parts.Parts(str(tmp_path / "no/such/directory"), job)
  with pytest.raises(FileNotFoundError, match="no/such/directory"):
    list(runners.in_threads(missing, paths, lambda num_videos: None))


def test_a_killed_process_is_an_error_that_says_what_to_do(train_dir, paths, tmp_path):
  def kill(num_videos):
    for pid in processes.descendants(os.getpid()):
      if "spawn_main" in processes.command(pid):
        os.kill(pid, signal.SIGKILL)

  job = small_job.job(train_dir)
  parts = prediction_parts.Parts.open(str(tmp_path / "out"), job)
  results = runners.in_processes(parts, paths, kill, 1)
  with pytest.raises(ChildProcessError, match="--num_processes=1 .*kept in .*out.parts"):
    list(results)
  assert any(map(parts.is_finished, paths)) and not all(map(parts.is_finished, paths))
