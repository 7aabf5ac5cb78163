# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A directory is there whole or not at all, and replaces only what is ours."""

import os
import signal

import pytest
import tensorflow as tf

from yt8m.core import directories
from yt8m.core import signals

OURS = directories.Kind("test set", "marker.json", ("README.txt", "data/*.npy"))


def fill(directory, *names):
  for name in names:
    path = os.path.join(directory, name)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
      file.write(name)


def names_below(directory):
  return sorted(path.relative_to(directory).as_posix()
                for path in directory.rglob("*") if not path.is_dir())


def overwrite(path):
  return directories.atomic_directory(path, overwrite=True, owned=OURS)


def test_a_directory_appears_when_the_block_ends(tmp_path):
  with directories.atomic_directory(tmp_path / "new" / "out") as directory:
    fill(directory, "file")
    assert not (tmp_path / "new" / "out").exists()
  assert names_below(tmp_path) == ["new/out/file"]


def test_an_error_leaves_the_old_directory_and_nothing_else(tmp_path):
  fill(tmp_path / "out", "marker.json")
  with pytest.raises(KeyboardInterrupt), overwrite(tmp_path / "out") as directory:
    fill(directory, "new")
    raise KeyboardInterrupt
  assert os.listdir(tmp_path) == ["out"]
  assert names_below(tmp_path / "out") == ["marker.json"]


def test_an_empty_directory_is_filled_without_overwrite(tmp_path):
  (tmp_path / "out").mkdir()
  with directories.atomic_directory(tmp_path / "out") as directory:
    fill(directory, "file")
  assert names_below(tmp_path) == ["out/file"]


def test_our_directory_is_replaced_if_asked(tmp_path):
  fill(tmp_path / "out", "marker.json", "README.txt", "data/a.npy")
  (tmp_path / "out" / "data" / "a.npy").chmod(0o400)
  with (pytest.raises(FileExistsError, match="not an empty directory: add --overwrite"),
        directories.atomic_directory(tmp_path / "out", remedy="add --overwrite")):
    pytest.fail("the block must not run")
  with overwrite(tmp_path / "out") as directory:
    fill(directory, "marker.json")
  assert names_below(tmp_path) == ["out/marker.json"]


@pytest.mark.parametrize("names, message", [
    (["thesis.tex"], "it has no marker.json, so it is not a test set"),
    (["marker.json", "thesis.tex"], "also holds thesis.tex, which no test set has"),
    (["marker.json", "data/thesis.tex"], "also holds data/thesis.tex"),
    (["marker.json", "data/deep/a.npy"], "also holds data/deep, data/deep/a.npy, which"),
    (["marker.json", "mine/README.txt"], "also holds mine, mine/README.txt, which"),
    (["marker.json", "a", "b", "c", "d"], "also holds a, b, c, …, which")])
def test_what_is_not_ours_is_never_replaced(tmp_path, names, message):
  fill(tmp_path / "out", *names)
  with (pytest.raises(FileExistsError, match=f"--output_dir=.*/out is not.*{message}"),
        overwrite(tmp_path / "out")):
    pytest.fail("the block must not run")
  assert names_below(tmp_path) == sorted(f"out/{name}" for name in names)


def test_an_empty_folder_that_is_not_ours_is_kept(tmp_path):
  fill(tmp_path / "out", "marker.json")
  (tmp_path / "out" / "data").mkdir()
  (tmp_path / "out" / "README.txt").mkdir()
  with (pytest.raises(FileExistsError, match="also holds README.txt, which"),
        overwrite(tmp_path / "out")):
    pytest.fail("the block must not run")


def test_a_file_is_never_replaced(tmp_path):
  (tmp_path / "out").touch()
  with (pytest.raises(FileExistsError, match="/out is a file: name a directory"),
        overwrite(tmp_path / "out")):
    pytest.fail("the block must not run")
  assert (tmp_path / "out").is_file()


def test_an_empty_path_is_an_error(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with (pytest.raises(ValueError, match="--output_dir is empty: name a directory"),
        overwrite("")):
    pytest.fail("the block must not run")
  with pytest.raises(ValueError, match="--train_dir is empty"):
    directories.check_replaceable("", OURS, "--train_dir")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_link_is_not_followed(tmp_path, slash):
  fill(tmp_path / "ours", "marker.json")
  (tmp_path / "link").symlink_to("ours")
  with (pytest.raises(FileExistsError, match=f"a symbolic link.*name {tmp_path}/ours"),
        overwrite(f"{tmp_path}/link{slash}")):
    pytest.fail("the block must not run")
  with (pytest.raises(FileExistsError, match="a symbolic link"),
        directories.atomic_directory(tmp_path / "link")):
    pytest.fail("the block must not run")
  assert names_below(tmp_path / "ours") == ["marker.json"]


def test_a_link_inside_is_not_ours(tmp_path):
  fill(tmp_path / "theirs", "a.npy")
  for name, target in (("data", "../theirs"), ("README.txt", "../theirs/a.npy")):
    fill(tmp_path / name, "marker.json")
    (tmp_path / name / name).symlink_to(target)
    with (pytest.raises(FileExistsError, match=f"also holds {name}, which"),
          overwrite(tmp_path / name)):
      pytest.fail("the block must not run")
  assert names_below(tmp_path / "theirs") == ["a.npy"]


def test_a_directory_above_may_be_a_link(tmp_path):
  fill(tmp_path / "disk" / "out", "marker.json")
  (tmp_path / "link").symlink_to("disk")
  with overwrite(tmp_path / "link" / "out") as directory:
    fill(directory, "marker.json", "README.txt")
  assert (tmp_path / "link").is_symlink()
  assert names_below(tmp_path / "disk") == ["out/README.txt", "out/marker.json"]


def test_what_appears_during_the_block_is_kept(tmp_path):
  with (pytest.raises(FileExistsError, match="exists and is not an empty directory"),
        directories.atomic_directory(tmp_path / "out")):
    fill(tmp_path / "out", "thesis.tex")
  fill(tmp_path / "ours", "marker.json")
  with (pytest.raises(FileExistsError, match="also holds thesis.tex"),
        overwrite(tmp_path / "ours")):
    fill(tmp_path / "ours", "thesis.tex")
  assert names_below(tmp_path) == [
      "ours/marker.json", "ours/thesis.tex", "out/thesis.tex"]


def test_contents_may_depend_on_the_directory(tmp_path):
  listed = directories.Kind("list", "names.txt", lambda directory: (
      tf.io.gfile.GFile(f"{directory}/names.txt").read().split()))
  fill(tmp_path, "names.txt", "a", "b")
  (tmp_path / "names.txt").write_text("a c")
  assert listed.foreign_entries(tmp_path) == ["b"]


def test_the_mark_of_a_job_belongs_to_the_file_that_it_marks(tmp_path):
  fill(tmp_path, "marker.json", ".marker.json.job", ".thesis.job", ".job")
  assert OURS.foreign_entries(tmp_path) == [".job", ".thesis.job"]


def test_the_rule_holds_for_remote_directories_too():
  root = "ram://directories_test/out"
  directories.check_replaceable(root, OURS, "--output_dir")
  fill(root, "marker.json", "data/a.npy")
  directories.check_replaceable(root, OURS, "--output_dir")
  fill(root, "thesis.tex")
  with (pytest.raises(FileExistsError, match="also holds thesis.tex"), overwrite(root)):
    pytest.fail("the block must not run")


def test_what_a_killed_process_had_begun_to_discard_is_removed(tmp_path, monkeypatch):
  def killed(path):
    raise KeyboardInterrupt

  out = tmp_path / "out"
  fill(out, "marker.json", "data/a.npy")
  with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
    patch.setattr(directories, "remove", killed)
    directories.discard(out, OURS, "--output_dir")
  [left] = tmp_path.iterdir()
  assert left.name != "out"
  directories.discard(out, OURS, "--output_dir")
  assert not list(tmp_path.iterdir())


def test_a_signal_in_the_removal_leaves_it_to_the_end_of_the_process(tmp_path,
                                                                     monkeypatch):
  path = tmp_path / "ours"
  path.mkdir()
  (path / "marker.json").touch()

  def interrupted(path):
    raise signals.Stopped(signal.SIGTERM)

  with monkeypatch.context() as patch, pytest.raises(signals.Stopped):
    patch.setattr(directories, "remove", interrupted)
    directories.discard(path, OURS, "--output_dir")
  [away] = tmp_path.iterdir()
  assert str(away) in signals._State.temporaries
  signals.keep(str(away))
  path.mkdir()
  (path / "marker.json").touch()
  directories.discard(path, OURS, "--output_dir")
  assert not {str(tmp_path / name) for name in os.listdir(tmp_path)} - {str(away)}
  assert not any(str(tmp_path) in name for name in signals._State.temporaries)
