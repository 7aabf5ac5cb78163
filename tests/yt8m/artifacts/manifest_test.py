# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A directory that differs from its manifest is refused, and the file is named."""

import hashlib
import json
import shutil

import pytest

from yt8m.artifacts import manifest


@pytest.fixture
def whole(tmp_path):
  folder = tmp_path / "model"
  (folder / "variables").mkdir(parents=True)
  (folder / "saved_model.pb").write_bytes(b"graph")
  (folder / "variables" / "data").write_bytes(bytes(range(256)) * 5000)
  (folder / "empty").write_bytes(b"")
  manifest.write(str(folder))
  return folder


def test_it_lists_every_other_file(whole):
  content = json.loads((whole / "manifest.json").read_text())
  assert content["format"] == 1
  assert list(content["files"]) == ["empty", "saved_model.pb", "variables/data"]
  assert content["files"]["variables/data"] == {
      "bytes": 1_280_000,
      "sha256": hashlib.sha256(bytes(range(256)) * 5000).hexdigest()}


def test_a_whole_directory_passes_wherever_it_is(whole, tmp_path):
  manifest.verify(str(whole))
  shutil.copytree(whole, tmp_path / "a" / "b")
  manifest.verify(str(tmp_path / "a" / "b") + "/")
  before = (whole / "manifest.json").read_bytes()
  manifest.write(str(whole))
  assert (whole / "manifest.json").read_bytes() == before


def flip(path):
  content = bytearray(path.read_bytes())
  content[-1] ^= 1
  path.write_bytes(content)


@pytest.mark.parametrize("damage, error, message", [
    (lambda root: flip(root / "variables" / "data"), ValueError,
     r"1 file \(variables/data\) changed since manifest.json.*Export it again, or copy"),
    (lambda root: (root / "variables" / "data").write_bytes(b"cut"), ValueError,
     r"1 file \(variables/data\) changed"),
    (lambda root: (flip(root / "variables" / "data"), flip(root / "saved_model.pb")),
     ValueError, r"2 files \(saved_model.pb, variables/data\) changed"),
    (lambda root: (root / "empty").unlink(), FileNotFoundError,
     r"model lacks 1 file \(empty\) of its manifest.json. Export it again"),
    (lambda root: (root / "variables" / "more").write_bytes(b""), ValueError,
     r"has 1 file \(variables/more\) that its manifest.json does not list. Remove"),
    (lambda root: shutil.rmtree(root), FileNotFoundError, "model is not a directory"),
    (lambda root: (root / "manifest.json").write_text("{"), ValueError,
     "manifest.json is not a manifest that yt8m-export wrote"),
    (lambda root: (root / "manifest.json").write_text('{"format": 2, "files": {}}'),
     ValueError, "is not a manifest .*its format is 2, not 1.*Export it again"),
    (lambda root: (root / "manifest.json").write_text('{"format": 1, "files": []}'),
     ValueError, "is not a manifest "),
])
def test_any_difference_is_named_with_a_remedy(damage, error, message, whole):
  damage(whole)
  with pytest.raises(error, match=message):
    manifest.verify(str(whole))


def test_an_older_export_is_allowed_with_a_warning(whole, caplog):
  (whole / "manifest.json").unlink()
  flip(whole / "saved_model.pb")
  manifest.verify(str(whole))
  assert "has no manifest.json: whether its files are whole is not checked" in caplog.text
