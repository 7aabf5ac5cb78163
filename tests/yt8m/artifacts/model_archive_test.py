# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A model is archived and extracted; a hostile archive has no effect."""

import io
import os
import tarfile

import pytest
import tensorflow as tf

from tests.helpers.full_disk import full_disk
from yt8m.artifacts import model_archive

CONTENT = {"config.json": b"{}", "ckpt-10.index": b"\x00\x01" * 5000,
           "saved_model/variables/variables.index": b"v", "saved_model/empty": b""}


@pytest.fixture
def model(tmp_path):
  for name, content in CONTENT.items():
    path = tmp_path / "model" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
  return tmp_path / "model"


def files_below(directory):
  return {str(path.relative_to(directory)): path.read_bytes()
          for path in directory.rglob("*") if path.is_file()}


def test_what_is_packed_is_unpacked(tmp_path, model):
  model_archive.pack(model, tmp_path / "model.tgz")
  model_archive.unpack(tmp_path / "model.tgz", tmp_path / "new" / "copy")
  assert files_below(tmp_path / "new" / "copy") == CONTENT
  assert os.listdir(tmp_path / "new") == ["copy"]


def test_archives_of_others_are_unpacked_too(tmp_path, model):
  with tarfile.open(tmp_path / "model.tgz", "w:gz") as archive:
    archive.add(model, arcname=".")  # as written by `tar -czf model.tgz -C model .`
  model_archive.unpack(tmp_path / "model.tgz", tmp_path / "copy")
  assert files_below(tmp_path / "copy") == CONTENT


def test_only_the_named_files_and_folders_are_packed(tmp_path, model):
  model_archive.pack(model, tmp_path / "model.tgz", ["saved_model", "config.json"])
  with tarfile.open(tmp_path / "model.tgz") as archive:
    assert archive.getnames() == [
        "config.json", "saved_model/empty", "saved_model/variables/variables.index"]


def test_the_same_model_gives_the_same_bytes(tmp_path, model):
  model_archive.pack(model, tmp_path / "one.tgz")
  for path in model.rglob("*"):
    os.utime(path, (1, 1))
    path.chmod(0o700)
  model_archive.pack(model, tmp_path / "two.tgz", reversed(sorted(os.listdir(model))))
  assert (tmp_path / "one.tgz").read_bytes() == (tmp_path / "two.tgz").read_bytes()


def test_models_may_be_remote(tmp_path):
  for name, content in CONTENT.items():
    path = f"ram://model_archive_test/{name}"
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "wb") as file:
      file.write(content)
  model_archive.pack("ram://model_archive_test", "ram://archive/model.tgz")
  model_archive.unpack("ram://archive/model.tgz", tmp_path / "copy")
  assert files_below(tmp_path / "copy") == CONTENT


def test_what_cannot_be_packed_is_named(tmp_path, model):
  with pytest.raises(FileNotFoundError, match="model/missing does not exist"):
    model_archive.pack(model, tmp_path / "model.tgz", ["config.json", "missing"])
  (tmp_path / "empty").mkdir()
  with pytest.raises(FileNotFoundError, match="empty holds no file"):
    model_archive.pack(tmp_path / "empty", tmp_path / "model.tgz")
  assert not (tmp_path / "model.tgz").exists()


def test_a_full_disk_leaves_no_half_archive(tmp_path, model):
  (model / "noise").write_bytes(os.urandom(100_000))
  with full_disk(after=50_000), pytest.raises(OSError, match="after 50,000 bytes.*tgz"):
    model_archive.pack(model, tmp_path / "model.tgz")
  assert os.listdir(tmp_path) == ["model"]


def link(name, to, kind=tarfile.SYMTYPE):
  member = tarfile.TarInfo(name)
  member.type, member.linkname = kind, to
  return member


def special(name, kind):
  member = tarfile.TarInfo(name)
  member.type = kind
  return member


@pytest.mark.parametrize("member, reason", [
    (tarfile.TarInfo("/etc/evil"), "points outside"),
    (tarfile.TarInfo("../evil"), "points outside"),
    (tarfile.TarInfo("a/../../evil"), "points outside"),
    (tarfile.TarInfo("..\\evil"), "points outside"),
    (special("../evil", tarfile.DIRTYPE), "points outside"),
    (link("evil", "/etc"), "link or a device"),
    (link("evil", "../.."), "link or a device"),
    (link("evil", "../../outside", tarfile.LNKTYPE), "link or a device"),
    (special("evil", tarfile.CHRTYPE), "link or a device"),
    (special("evil", tarfile.BLKTYPE), "link or a device"),
    (special("evil", tarfile.FIFOTYPE), "link or a device")])
def test_hostile_members_are_named_and_nothing_is_unpacked(tmp_path, member, reason):
  path = tmp_path / "evil.tgz"
  with tarfile.open(path, "w:gz") as archive:
    good = tarfile.TarInfo("config.json")
    good.size = 2
    archive.addfile(good, io.BytesIO(b"{}"))
    archive.addfile(member)
  with pytest.raises(ValueError) as error:
    model_archive.unpack(path, tmp_path / "target")
  assert f"evil.tgz: member {member.name!r}" in str(error.value)
  assert reason in str(error.value)
  assert os.listdir(tmp_path) == ["evil.tgz"]


def test_a_damaged_archive_is_named(tmp_path, model):
  path = tmp_path / "model.tgz"
  model_archive.pack(model, path)
  whole = path.read_bytes()
  flipped = bytearray(whole)
  flipped[len(whole) // 2] ^= 0xFF
  cut, no_checksum = whole[:len(whole) // 2], whole[:-8]
  for content in (cut, no_checksum, bytes(flipped), b"no archive", b""):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="model.tgz is not a complete .tgz archive"):
      model_archive.unpack(path, tmp_path / "target")
    assert sorted(os.listdir(tmp_path)) == ["model", "model.tgz"]


def test_a_missing_archive_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match="missing.tgz"):
    model_archive.unpack(tmp_path / "missing.tgz", tmp_path / "target")
  assert os.listdir(tmp_path) == []


def test_a_directory_in_use_is_left_alone(tmp_path, model):
  model_archive.pack(model, tmp_path / "model.tgz")
  with pytest.raises(FileExistsError, match="is not an empty directory"):
    model_archive.unpack(tmp_path / "model.tgz", model)
  assert files_below(model) == CONTENT
  (tmp_path / "empty").mkdir()
  model_archive.unpack(tmp_path / "model.tgz", tmp_path / "empty")
  assert files_below(tmp_path / "empty") == CONTENT
