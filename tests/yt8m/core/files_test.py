# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A file is written completely or not at all."""

import os
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.full_disk import full_disk
from yt8m.core import checksum
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


def test_json_comes_back_as_it_was_written(tmp_path):
  for path in (tmp_path / "a.json", "ram://files_test/a.json"):
    files.write_json(path, {"b": [1.5, None], "a": "früh"})
    with files.open_to_read(path) as file:
      text = file.read()
    assert text.startswith('{\n  "b"') and text.endswith("}\n")
    content = files.read_json(path, kind="a test", remedy="Write it again")
    assert content == {"b": [1.5, None], "a": "früh"}
    assert files.read_json(
        path, kind="a test", remedy="", parse=lambda content: content["a"]) == "früh"


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path):
  files.write_json(tmp_path / "a.json", [], indent=None)
  with pytest.raises(TypeError):
    files.write_json(tmp_path / "a.json", {"a": object()})
  assert (tmp_path / "a.json").read_text() == "[]\n"
  assert os.listdir(tmp_path) == ["a.json"]


def test_a_json_file_that_is_not_there_is_named(tmp_path):
  path = tmp_path / "a.json"
  with pytest.raises(FileNotFoundError,
                     match=f"^{path} does not exist; expected a test. Write it ag"):
    files.read_json(path, kind="a test", remedy="Write it again")
  with pytest.raises(IsADirectoryError,
                     match=f"^{tmp_path} is a directory, not a test. Write it again."):
    files.read_json(tmp_path, kind="a test", remedy="Write it again")


@pytest.mark.parametrize("content, reason", [
    (b'{"entry": 1', "Expecting ',' delimiter.*"),
    (b"\xff", "'utf-8' codec can't decode.*"),
    (b"[1]", "it holds a JSON list, not an object"),
    (b"{}", "it has no entry 'entry'"),
    (b'{"entry": 1}', "'int' object is not iterable"),
    (b'{"entry": [1]}', "'int' object has no attribute 'strip'")])
def test_a_json_file_of_another_kind_is_an_error(tmp_path, content, reason):
  (tmp_path / "a.json").write_bytes(content)
  with pytest.raises(ValueError, match=(
      rf"^{tmp_path}/a.json is not a test \({reason}\). Write it again.$")):
    files.read_json(
        tmp_path / "a.json", kind="a test", remedy="Write it again",
        parse=lambda content: [entry.strip() for entry in content["entry"]])


def test_files_below_a_directory_and_their_bytes(tmp_path):
  (tmp_path / "a" / "b").mkdir(parents=True)
  (tmp_path / "a" / "b" / "x").write_text("123")
  (tmp_path / "y").write_text("45")
  assert sorted(files.files_below(tmp_path)) == [
      str(tmp_path / "a" / "b" / "x"), str(tmp_path / "y")]
  assert files.bytes_on_disk(tmp_path) == 5


def test_a_pipe_is_not_waited_for(tmp_path):
  os.mkfifo(tmp_path / "pipe")
  for read in (files.open_to_read, checksum.of_file,
               lambda path: files.read_json(path, kind="JSON", remedy="Delete it")):
    with pytest.raises(OSError, match="pipe: it is a pipe, a socket or a device"):
      read(str(tmp_path / "pipe"))


def test_a_local_file_is_not_named_as_remote(tmp_path):
  os.mkfifo(tmp_path / "pipe")  # which would be waited for for ever
  with pytest.raises(ValueError, match="pipe: write the path .* without file://"):
    files.open_to_read(f"file://{tmp_path}/pipe")
  assert files.is_remote("gs://bucket/file") and not files.is_remote("file:name")
