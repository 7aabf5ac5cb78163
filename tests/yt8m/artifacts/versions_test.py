# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Directories of versions, and the newest complete version in them."""

import pytest

from yt8m.artifacts import manifest
from yt8m.artifacts import versions
from yt8m.artifacts.saved_model import SavedModel


def write(folder, *, damaged=False):
  """Writes the files of a SavedModel that cannot be loaded."""
  folder.mkdir()
  (folder / "saved_model.pb").write_bytes(b"graph")
  manifest.write(str(folder))
  if damaged:
    (folder / "saved_model.pb").write_bytes(b"gra")
  return str(folder)


def test_versions_are_numbers(tmp_path):
  for name in ("2", "10", "0003", "4.tmp", "old", "v5", "²"):
    write(tmp_path / name)
  (tmp_path / "6").mkdir()  # empty
  (tmp_path / "7").touch()
  assert list(versions.find(str(tmp_path))) == [2, 3, 10]
  model = str(tmp_path / "2")
  assert versions.find(model) == {1: SavedModel(model)}
  assert versions.find(str(tmp_path / "no")) == {}


def test_the_newest_complete_version_is_taken_and_said(tmp_path, caplog):
  for number in (2, 9, 10):
    write(tmp_path / str(number), damaged=number == 10)
  with caplog.at_level("INFO", "absl"):
    model = versions.newest(str(tmp_path), "--saved_model")
  assert model.directory == str(tmp_path / "9")
  warning, chosen = caplog.messages
  assert "Version 10 is not complete" in warning and "saved_model.pb" in warning
  assert chosen == f"Version 9 is the newest complete one in {tmp_path}."


def test_a_saved_model_is_taken_as_it_is(tmp_path):
  path = write(tmp_path / "2", damaged=True)  # An error when it is read.
  assert versions.newest(path, "--saved_model") == SavedModel(path)


def test_no_version_is_explained(tmp_path):
  with pytest.raises(FileNotFoundError, match="--saved_model=.* holds no SavedModel .*"
                     "nor versions .*export one"):
    versions.newest(str(tmp_path), "--saved_model")
  write(tmp_path / "4", damaged=True)
  with pytest.raises(ValueError, match="--saved_model=.* no complete version, .*: 4. C"):
    versions.newest(str(tmp_path), "--saved_model")
