# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a path or a pattern on a command line means."""

import os

import pytest
from absl import flags

from yt8m.core import paths


def test_is_sorted_over_all_globs_without_repetition(tmp_path):
  for name in ("b2", "a1", "b1", "c"):
    (tmp_path / name).touch()
  files = paths.match(f"{tmp_path}/b*, {tmp_path}/a1,{tmp_path}/b1")
  assert files == [f"{tmp_path}/{name}" for name in ("a1", "b1", "b2")]


def test_a_flag_for_patterns_may_be_repeated(tmp_path):
  for name in ("a", "b"):
    (tmp_path / name).touch()
  values = flags.FlagValues()
  paths.define_pattern("records", "", "", values=values)
  values(["command", f"--records={tmp_path}/a", f"--records={tmp_path}/b"])
  assert paths.match(values.records) == [f"{tmp_path}/a", f"{tmp_path}/b"]


def test_hidden_files_are_matched_only_if_they_are_named(tmp_path):
  for name in ("a", ".a", ".DS_Store"):
    (tmp_path / name).touch()
  assert paths.match(f"{tmp_path}/*") == [f"{tmp_path}/a"]
  assert paths.match(f"{tmp_path}/**") == [f"{tmp_path}/a"]
  assert paths.match(f"{tmp_path}/.a*") == [f"{tmp_path}/.a"]


def test_names_the_glob_without_a_match(tmp_path):
  (tmp_path / "a").touch()
  with pytest.raises(ValueError, match=r"No file matches '.*/x\*' \(--data_pattern\)"):
    paths.match(f"{tmp_path}/a,{tmp_path}/x*", "--data_pattern")


def test_empty_pattern():
  with pytest.raises(ValueError, match="--train_data_pattern is empty"):
    paths.match(" , ", "--train_data_pattern")


def test_directory(tmp_path):
  with pytest.raises(ValueError, match=r"is a directory .*: write '.*/\*.tfrecord'"):
    paths.match(str(tmp_path))


def test_names_may_hold_what_patterns_use(tmp_path):
  names = ["na,me/a.tfrecord", "na[1]me/train (1).tfrecord", "{x}~/[a-b].tfrecord"]
  for name in names:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).touch()
    assert paths.match(f"{tmp_path}/{name}") == [f"{tmp_path}/{name}"]
  folders = [os.path.dirname(name) for name in names]
  assert [paths.match(f"{tmp_path}/{folder}/*.tfrecord") for folder in folders] == [
      [f"{tmp_path}/{name}"] for name in names]
  assert paths.files_of(tmp_path / "na[1]me", "*(1)*") == [f"{tmp_path}/{names[1]}"]


def test_directories_among_the_matches_are_left_out(tmp_path, caplog):
  (tmp_path / "train_2024").mkdir()
  (tmp_path / "train0.tfrecord").touch()
  assert paths.match(f"{tmp_path}/train*") == [f"{tmp_path}/train0.tfrecord"]
  assert "train_2024 is left out: it is a directory" in caplog.text


def test_folders_at_any_depth(tmp_path):
  names = ["a.tfrecord", "b[1]/a.tfrecord", "b[1]/c/d/a.tfrecord"]
  for name in names:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
  found = [f"{tmp_path}/{name}" for name in names]
  assert paths.match(f"{tmp_path}/**/*.tfrecord") == found
  assert paths.match(f"{tmp_path}/b[1]/**/a.tfrecord") == found[1:]
  with pytest.raises(ValueError, match=r"No file matches '.*/\*\*/\*.csv' \(--x\)\.$"):
    paths.match(f"{tmp_path}/**/*.csv", "--x")
  with pytest.raises(ValueError, match=r"\(--x\). There, \*\* is no more than \*"):
    paths.match("ram://paths_test/**/*.csv", "--x")


def test_the_home_directory(tmp_path, monkeypatch):
  monkeypatch.setenv("HOME", str(tmp_path))
  monkeypatch.chdir(tmp_path)
  (tmp_path / "a.tfrecord").touch()
  assert paths.expand("~/model") == f"{tmp_path}/model"
  assert paths.match("~/*.tfrecord") == [f"{tmp_path}/a.tfrecord"]
  assert paths.expand("gs://~/model") == "gs://~/model"
  os.mkdir("~")
  assert paths.expand("~") == "~"


def test_a_file_of_patterns(tmp_path):
  for name in "abcd":
    (tmp_path / name).touch()
  (tmp_path / "list.txt").write_text(f"{tmp_path}/a\n\n {tmp_path}/[bc] \n")
  assert paths.match(f"@{tmp_path}/list.txt\n{tmp_path}/d") == [
      f"{tmp_path}/{name}" for name in "abcd"]
  (tmp_path / "list.txt").write_bytes(b"caf\xe9\n")
  with pytest.raises(ValueError, match="list.txt, line 1: it is not UTF-8"):
    paths.match(f"@{tmp_path}/list.txt", "--x")
  (tmp_path / "list.txt").write_text(f"\ufeff{tmp_path}/d\n")  # as Windows writes it
  assert paths.match(f"@{tmp_path}/list.txt") == [f"{tmp_path}/d"]
  with pytest.raises(FileNotFoundError, match="no.txt does not exist: after @, --x"):
    paths.match(f"@{tmp_path}/no.txt", "--x")


def test_a_long_pattern_of_odd_characters_is_shortened():
  with pytest.raises(ValueError, match="No file matches .*… \\(--input\\)") as error:
    paths.match("/nowhere" + 500 * "\x7f", "--input")
  assert len(str(error.value)) < 600
