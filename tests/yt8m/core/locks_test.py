# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One process at a time uses a directory, and a dead one keeps nobody out."""

import dataclasses
import json
import os
import signal
import subprocess
import sys

import pytest

from yt8m.core import files
from yt8m.core import locks

HERE = locks.Owner.this_process("trains")


def write_lock(directory, **changes):
  files.write_json(directory / locks.FILE,
                   dataclasses.asdict(dataclasses.replace(HERE, **changes)))


def test_a_directory_is_locked_and_unlocked(tmp_path):
  directory = tmp_path / "new" / "model"
  with locks.hold(directory, "trains"):
    with (pytest.raises(locks.InUseError,
                        match=rf"model is in use: process {os.getpid()} on .* trains "
                              r"there since 2.* UTC\. Wait for it, stop it, or name "
                              r"another\.$"),
          locks.hold(directory, "trains", remedy="name another")):
      pytest.fail("the block must not run")
    assert os.listdir(directory) == [locks.FILE]
  assert os.listdir(directory) == []
  with pytest.raises(KeyboardInterrupt), locks.hold(directory, "trains"):
    raise KeyboardInterrupt
  assert os.listdir(directory) == []


@pytest.mark.parametrize("changes", [
    {"start": "before this process"}, {"pid": 2**30}], ids=["reused", "gone"])
def test_the_lock_of_a_dead_process_is_broken(changes, tmp_path, caplog):
  write_lock(tmp_path, **changes)
  with locks.hold(tmp_path, "searches"):
    assert json.loads((tmp_path / locks.FILE).read_text())["doing"] == "searches"
  assert "has ended without unlocking it" in caplog.text
  assert os.listdir(tmp_path) == []


def test_a_killed_process_is_dead_even_before_its_parent_knows(tmp_path):
  process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
  owner = dataclasses.replace(HERE, pid=process.pid, start=locks._start_of(process.pid))
  assert not owner.is_dead
  write_lock(tmp_path, pid=owner.pid, start=owner.start)
  with pytest.raises(locks.InUseError), locks.hold(tmp_path, "trains"):
    pytest.fail("the block must not run")
  process.send_signal(signal.SIGKILL)
  os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # It stays a zombie.
  with locks.hold(tmp_path, "trains"):
    pass
  process.communicate()


def test_a_process_of_another_host_may_live(tmp_path):
  write_lock(tmp_path, host="elsewhere", pid=2**30)
  with (pytest.raises(locks.InUseError, match=f"If it has ended, delete .*{locks.FILE}"),
        locks.hold(tmp_path, "trains")):
    pytest.fail("the block must not run")


def test_a_file_that_is_no_lock_stays(tmp_path):
  (tmp_path / locks.FILE).write_text("mine")
  with (pytest.raises(ValueError, match="is not a lock of yt8m"),
        locks.hold(tmp_path, "trains")):
    pytest.fail("the block must not run")
  assert (tmp_path / locks.FILE).read_text() == "mine"


@pytest.mark.parametrize("target", ["new", "theirs"])
def test_a_link_is_no_lock_and_is_not_followed(target, tmp_path):
  (tmp_path / "directory").mkdir()
  files.write_json(tmp_path / "theirs", dataclasses.asdict(
      dataclasses.replace(HERE, start="dead")))
  before = (tmp_path / "theirs").read_text()
  (tmp_path / "directory" / locks.FILE).symlink_to(tmp_path / target)
  with (pytest.raises(OSError, match="is a symbolic link, which is no lock"),
        locks.hold(tmp_path / "directory", "trains")):
    pytest.fail("the block must not run")
  assert sorted(os.listdir(tmp_path)) == ["directory", "theirs"]
  assert (tmp_path / "theirs").read_text() == before


@pytest.mark.parametrize("changes", [
    {"pid": "../tmp"}, {"pid": "1\0"}, {"pid": True}, {"pid": 0}, {"pid": None},
    {"host": 1}, {"start": []}])
def test_the_owner_of_a_lock_names_no_path(changes, tmp_path):
  write_lock(tmp_path, **changes)
  with (pytest.raises(ValueError, match="is not a lock of yt8m"),
        locks.hold(tmp_path, "trains")):
    pytest.fail("the block must not run")


def test_a_lock_that_was_deleted_and_taken_is_left_to_its_new_owner(tmp_path):
  with locks.hold(tmp_path, "trains"):
    write_lock(tmp_path, host="elsewhere")
  assert os.listdir(tmp_path) == [locks.FILE]
