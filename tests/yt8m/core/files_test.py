# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A file is there whole or not at all."""

import os
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.full_disk import full_disk
from yt8m.core import files


@pytest.mark.parametrize("mode, content", [("w", "früh\n"), ("wb", b"\x00\xff")])
def test_the_file_appears_when_the_block_ends(tmp_path, mode, content):
  path = tmp_path / "out"
  with files.atomic_write(path, mode) as file:
    file.write(content)
    file.flush()
    assert not path.exists()
  expected = content.encode("utf-8") if mode == "w" else content
  assert path.read_bytes() == expected
  assert os.listdir(tmp_path) == ["out"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
  path = tmp_path / "out"
  path.write_text("old")
  with pytest.raises(KeyboardInterrupt), files.atomic_write(path) as file:
    file.write("new")
    raise KeyboardInterrupt
  assert path.read_text() == "old"
  assert os.listdir(tmp_path) == ["out"]


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path):
  path = tmp_path / "out"
  with (full_disk(after=4096),
        pytest.raises(OSError, match=r"after 4,096 bytes; nothing half-written.*/out'"),
        files.atomic_write(path) as file):
    file.write("x" * 10_000)
  assert os.listdir(tmp_path) == []


def test_a_disk_full_at_the_last_flush_is_an_error_too(tmp_path):
  with (full_disk(after=100), pytest.raises(OSError, match="after 100 bytes"),
        files.atomic_write(tmp_path / "out", "wb") as file):
    file.write(b"x" * 101)  # stays in the buffer until the block ends
  assert os.listdir(tmp_path) == []


def test_an_unwritable_directory_is_noticed_on_entry(tmp_path):
  (tmp_path / "file").touch()
  with (pytest.raises(OSError, match=r"must exist and be writable: '.*/file/out'"),
        files.atomic_write(tmp_path / "file" / "out")):
    pytest.fail("the block must not run")


def test_a_device_or_a_directory_is_never_replaced(tmp_path):
  for path in (os.devnull, tmp_path):
    with (pytest.raises(OSError, match="not a regular file"),
          files.atomic_write(path)):
      pytest.fail("the block must not run")


def test_a_link_stays_a_link(tmp_path):
  (tmp_path / "file").write_text("old")
  (tmp_path / "link").symlink_to("file")
  with files.atomic_write(tmp_path / "link") as file:
    file.write("new")
  assert (tmp_path / "link").is_symlink()
  assert (tmp_path / "file").read_text() == "new"


def test_permissions_follow_the_umask(tmp_path):
  plain, atomic = tmp_path / "plain", tmp_path / "atomic"
  plain.touch()
  with files.atomic_write(atomic):
    pass
  assert atomic.stat().st_mode == plain.stat().st_mode


def test_writers_that_seek_may_write_to_it(tmp_path):
  with files.atomic_write(tmp_path / "a.npz", "wb") as file:
    np.savez(file, a=np.arange(3))
  assert zipfile.is_zipfile(tmp_path / "a.npz")


def test_remote_files_are_renamed_too():
  path = "ram://files_test/out"
  for content in ("old", "new"):
    with files.atomic_write(path) as file:
      file.write(content)
  with pytest.raises(ZeroDivisionError), files.atomic_write(path) as file:
    file.write("half")
    _ = 1 / 0
  assert tf.io.gfile.GFile(path).read() == "new"
  assert tf.io.gfile.glob("ram://files_test/*") == [path]


def test_only_whole_files_are_written(tmp_path):
  with pytest.raises(ValueError, match="mode 'w' or 'wb', not 'a'"):
    files.atomic_write(tmp_path / "out", "a").__enter__()


def test_a_file_to_read_that_is_not_there_is_named(tmp_path):
  for path in (tmp_path, tmp_path / "missing", "ram://files_test/missing"):
    with pytest.raises(FileNotFoundError, match=f"No such file: '{path}'"):
      files.open_to_read(path)
  (tmp_path / "there").write_bytes(b"content")
  assert files.open_to_read(tmp_path / "there").read() == "content"
  assert files.open_to_read(tmp_path / "there", "rb").read() == b"content"


def test_a_directory_appears_when_the_block_ends(tmp_path):
  with files.atomic_directory(tmp_path / "new" / "out") as directory:
    with open(os.path.join(directory, "file"), "w") as file:
      file.write("x")
    assert not (tmp_path / "new" / "out").exists()
  assert os.listdir(tmp_path / "new" / "out") == ["file"]
  assert os.listdir(tmp_path / "new") == ["out"]


def test_an_error_leaves_the_old_directory_and_nothing_else(tmp_path):
  (tmp_path / "out").mkdir()
  (tmp_path / "out" / "old").touch()
  with (pytest.raises(KeyboardInterrupt),
        files.atomic_directory(tmp_path / "out", overwrite=True)):
    raise KeyboardInterrupt
  assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["old"]


def test_a_directory_is_replaced_only_if_asked_or_empty(tmp_path):
  (tmp_path / "out").mkdir()
  for name, overwrite in (("first", False), ("second", True)):
    with files.atomic_directory(tmp_path / "out", overwrite) as directory:
      open(os.path.join(directory, name), "w").close()
    assert os.listdir(tmp_path / "out") == [name]
  with (pytest.raises(FileExistsError, match="not an empty directory: name another."),
        files.atomic_directory(tmp_path / "out", remedy="name another")):
    pass
  assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["second"]
