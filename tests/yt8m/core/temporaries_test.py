# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporaries of dead processes are removed, and nothing else is."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from yt8m.core import temporaries

# Makes a temporary file and a directory, says so, and waits.
_OWNER = """
import sys, time
from yt8m.core import temporaries
with temporaries.file(sys.argv[1]), temporaries.directory(sys.argv[2]):
  print("ready", flush=True)
  time.sleep(600)
"""


def leftovers(path, *names):
  """Makes temporaries that nobody holds; `names` are those of the files in them."""
  for name in names or ("",):
    temporary = pathlib.Path(temporaries.name(str(path)))
    if name:
      temporary.mkdir()
      (temporary / name).touch()
    else:
      temporary.touch()


def test_a_killed_owner_is_told_from_a_live_one(tmp_path):
  paths = [str(tmp_path / "file"), str(tmp_path / "folder")]
  with subprocess.Popen([sys.executable, "-c", _OWNER, *paths], text=True,
                        stdout=subprocess.PIPE) as owner:
    try:
      assert owner.stdout.readline() == "ready\n"
      for path in paths:
        temporaries.sweep(path)
      assert len(os.listdir(tmp_path)) == 2
    finally:
      owner.send_signal(signal.SIGKILL)
  for path in paths:
    temporaries.sweep(path)
  assert os.listdir(tmp_path) == []


def test_a_folder_is_swept_at_once(tmp_path):
  (tmp_path / "mine.npz").touch()
  leftovers(tmp_path / "one")
  leftovers(tmp_path / "two", "data.npy")
  assert not temporaries.sweep_folder(str(tmp_path))
  assert os.listdir(tmp_path) == ["mine.npz"]
  with temporaries.file(str(tmp_path / "held")):
    leftovers(tmp_path / "held")
    assert temporaries.sweep_folder(str(tmp_path))
    assert len(os.listdir(tmp_path)) == 2


def test_the_next_writer_sweeps(tmp_path):
  for name, make in (("file", temporaries.file), ("folder", temporaries.directory)):
    leftovers(tmp_path / name)
    leftovers(tmp_path / name, "data.npy")
    with make(str(tmp_path / name)) as temporary:
      assert os.listdir(tmp_path) == [os.path.basename(temporary)]
    temporaries.sweep(str(tmp_path / name))


def test_only_temporaries_of_the_path_are_swept(tmp_path):
  (tmp_path / "out").write_text("precious")
  ours = os.path.basename(temporaries.name("out"))
  foreign = ["out.tmp0123abcd", ".out.tmp0123abcd", ".out.tmp0123456789abcdef",
             f"{ours}.old.old", f"{ours}x", os.path.basename(temporaries.name("other"))]
  for name in foreign:
    (tmp_path / name).write_text("precious")
  (tmp_path / "file").write_text("precious")
  os.symlink("file", temporaries.name(str(tmp_path / "out")))
  os.mkfifo(temporaries.name(str(tmp_path / "out")))
  before = sorted(os.listdir(tmp_path))
  (tmp_path / ours).touch()
  for name in ("out", "", "nothing"):
    temporaries.sweep(str(tmp_path / name))
  temporaries.sweep(str(tmp_path / "no" / "such" / "folder"))
  assert sorted(os.listdir(tmp_path)) == before


def test_a_link_in_a_leftover_is_not_followed(tmp_path):
  (tmp_path / "theirs").mkdir()
  (tmp_path / "theirs" / "thesis.tex").touch()
  leftovers(tmp_path / "out", "file")
  [temporary] = tmp_path.glob(".out.tmp*")
  (temporary / "link").symlink_to(tmp_path / "theirs")
  temporaries.sweep(str(tmp_path / "out"))
  assert os.listdir(tmp_path) == ["theirs"]
  assert os.listdir(tmp_path / "theirs") == ["thesis.tex"]


@pytest.mark.parametrize("name", ["ü" * 120, ".hidden", "a b", "x" * 250])
def test_any_name_has_temporaries(name, tmp_path):
  leftovers(tmp_path / name)
  with temporaries.file(str(tmp_path / name)) as temporary:
    assert os.listdir(tmp_path) == [os.path.basename(temporary)]
    assert not os.path.basename(temporary).startswith("..")


def test_a_retired_directory_comes_back(tmp_path):
  """Killed between its renaming and that of its successor."""
  out = tmp_path / "out"
  out.mkdir()
  (out / "data").write_text("old")
  with temporaries.retired(str(out)) as away:
    temporaries.sweep(str(out))  # another process
    assert os.path.exists(away) and not out.exists()
  temporaries.sweep(str(out))
  assert (out / "data").read_text() == "old"
  with temporaries.retired(str(out)):
    out.mkdir()
  temporaries.sweep(str(out))
  assert os.listdir(tmp_path) == ["out"] and os.listdir(out) == []
  with temporaries.retired(str(out), for_good=True):
    pass
  temporaries.sweep(str(out))
  assert os.listdir(tmp_path) == []


def test_scratch_goes_with_its_block(tmp_path):
  leftovers(tmp_path / "scratch", "data.npy")
  with temporaries.scratch(str(tmp_path)) as folder:
    assert os.listdir(tmp_path) == [os.path.basename(folder)]
    pathlib.Path(folder, "data.npy").touch()
  assert os.listdir(tmp_path) == []
  with temporaries.scratch(purpose="yt8m-test") as folder:
    assert os.path.isdir(folder)
  assert not os.path.exists(folder)


# Elsewhere, `exchange` returns False, and directories are renamed one after the other.
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two paths")
def test_exchange(tmp_path):
  for name in "ab":
    (tmp_path / name).mkdir()
    (tmp_path / name / name).touch()
  assert temporaries.exchange(str(tmp_path / "a"), str(tmp_path / "b"))
  assert os.listdir(tmp_path / "a") == ["b"] and os.listdir(tmp_path / "b") == ["a"]
  assert not temporaries.exchange(str(tmp_path / "a"), str(tmp_path / "missing"))
