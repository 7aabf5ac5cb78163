# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A model is archived and extracted; a hostile archive has no effect."""

import gzip
import io
import os
import shutil
import tarfile
import tracemalloc

import pytest
import tensorflow as tf
from absl import logging as absl_logging

from tests.helpers.full_disk import full_disk
from yt8m.artifacts import archive_reader
from yt8m.artifacts import model_archive
from yt8m.core import directories

CONTENT = {"config.json": b"{}", "ckpt-10.index": b"\x00\x01" * 5000,
           "saved_model/variables/variables.index": b"v", "saved_model/empty": b""}
KIND = directories.Kind("model", "config.json", (
    "ckpt-*.index", "saved_model/empty", "saved_model/variables/variables.index"))


def unpack(path, directory, **options):
  model_archive.unpack(path, directory, KIND, **options)


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
  unpack(tmp_path / "model.tgz", tmp_path / "new" / "copy")
  assert files_below(tmp_path / "new" / "copy") == CONTENT
  assert os.listdir(tmp_path / "new") == ["copy"]


def test_archives_of_others_are_unpacked_too(tmp_path, model):
  with tarfile.open(tmp_path / "model.tgz", "w:gz") as archive:
    archive.add(model, arcname=".")  # as written by `tar -czf model.tgz -C model .`
  unpack(tmp_path / "model.tgz", tmp_path / "copy")
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
  unpack("ram://archive/model.tgz", tmp_path / "copy")
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
    (link("evil", "/etc"), "a link, a device or a sparse"),
    (link("evil", "../.."), "a link, a device or a sparse"),
    (link("evil", "../../outside", tarfile.LNKTYPE), "a link, a device or a sparse"),
    (special("evil", tarfile.CHRTYPE), "a link, a device or a sparse"),
    (special("evil", tarfile.BLKTYPE), "a link, a device or a sparse"),
    (special("evil", tarfile.FIFOTYPE), "a link, a device or a sparse"),
    (tarfile.TarInfo("sitecustomize.py"), "is no file of a model"),
    (tarfile.TarInfo("saved_model/variables/variables.index/x"), "is no file of a model"),
    (special("other", tarfile.DIRTYPE), "is no file of a model"),
    (tarfile.TarInfo("config.json"), "is there twice"),
    (tarfile.TarInfo("./config.json"), "is there twice"),
    (tarfile.TarInfo(f"ckpt-{'9' * 300}.index"), "has a name that no file"),
    (tarfile.TarInfo("ckpt-\n.index"), "has a name that no file"),
    (tarfile.TarInfo("ckpt-\x1b[2J.index"), "has a name that no file")])
def test_hostile_members_are_named_and_nothing_is_unpacked(tmp_path, member, reason):
  path = tmp_path / "evil.tgz"
  with tarfile.open(path, "w:gz") as archive:
    good = tarfile.TarInfo("config.json")
    good.size = 2
    archive.addfile(good, io.BytesIO(b"{}"))
    archive.addfile(member)
  with pytest.raises(ValueError) as error:
    unpack(path, tmp_path / "target")
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
      unpack(path, tmp_path / "target")
    assert sorted(os.listdir(tmp_path)) == ["model", "model.tgz"]


def test_a_missing_archive_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match="missing.tgz"):
    unpack(tmp_path / "missing.tgz", tmp_path / "target")
  assert os.listdir(tmp_path) == []


def test_a_directory_in_use_is_left_alone(tmp_path, model):
  model_archive.pack(model, tmp_path / "model.tgz")
  for other in ("config.json", "thesis.tex"):  # changed, and one of the user
    used = tmp_path / other
    shutil.copytree(model, used)
    (used / other).write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="is not an empty directory"):
      unpack(tmp_path / "model.tgz", used)
    assert files_below(used) == {**CONTENT, other: b"mine"}
  (tmp_path / "empty").mkdir()
  unpack(tmp_path / "model.tgz", tmp_path / "empty")
  assert files_below(tmp_path / "empty") == CONTENT


def test_what_is_unpacked_already_stays(tmp_path, model, caplog):
  absl_logging.use_python_logging()
  model_archive.pack(model, tmp_path / "model.tgz")
  unpack(tmp_path / "model.tgz", tmp_path / "copy")
  before = (tmp_path / "copy" / "config.json").stat()
  with caplog.at_level("INFO"), caplog.at_level("INFO", "absl"):
    unpack(tmp_path / "model.tgz", tmp_path / "copy")
  assert f"{tmp_path}/copy is there already, with the same contents." in caplog.text
  assert (tmp_path / "copy" / "config.json").stat().st_ino == before.st_ino
  assert sorted(os.listdir(tmp_path)) == ["copy", "model", "model.tgz"]


def compressed(path, *blocks):
  with gzip.open(path, "wb") as file:
    for block in blocks:
      file.write(block)
  return path


def header(name, size, kind=tarfile.REGTYPE):
  member = special(name, kind)
  member.size = size
  return member.tobuf(tarfile.GNU_FORMAT)


ZEROS = bytes(2**20)
# A sparse member has the size that its header says, whatever its bytes are.
OLD_SPARSE = bytearray(header("ckpt-1.index", 0, tarfile.GNUTYPE_SPARSE))
OLD_SPARSE[483:495] = b"%011o\0" % 2**32
OLD_SPARSE[148:156] = b"%06o\0 " % (sum(OLD_SPARSE[:148] + OLD_SPARSE[156:]) + 8 * 32)
PAX_SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
              "GNU.sparse.name": "ckpt-1.index", "GNU.sparse.realsize": str(2**40)}


def pax(headers, member):
  member.pax_headers = headers
  return member.tobuf(tarfile.PAX_FORMAT)


@pytest.mark.parametrize("blocks, reason", [
    # One file of 1 TiB, as a header says.
    ([header("ckpt-1.index", 2**40)], "unpacks to more than 0.001.* --max_model_gib"),
    # Many files, each small enough.
    ([header(f"ckpt-{n}.index", 2**20 - 512) + ZEROS[512:] for n in range(3)],
     "unpacks to more than"),
    # Zeros after the end of the archive.
    ([bytes(1024), *[ZEROS] * 40], "unpacks to more than"),
    ([bytes(OLD_SPARSE), bytes(1024)], "a link, a device or a sparse file"),
    ([pax(PAX_SPARSE, tarfile.TarInfo("x"))], "not a complete"),
    # A map of many parts, which tarfile would take into memory whole.
    ([pax(PAX_SPARSE, tarfile.TarInfo("x")), b"9999999999999999\n", b"0\n" * 2**16],
     "headers of more than 0.06"),
    ([pax({"GNU.sparse.map": "0,a", "GNU.sparse.size": "9"}, tarfile.TarInfo("x"))],
     "not a complete"),
    # Headers that tarfile takes into memory whole.
    ([header("x", 2**33, tarfile.GNUTYPE_LONGNAME)], "headers of more than 0.06"),
    ([header("x", 2**33, tarfile.XHDTYPE)], "headers of more than 0.06"),
    ([header("x", 2**24, tarfile.XGLTYPE) + ZEROS * 16] * 3, "headers of more than 0.06"),
    ([header("x", 512, tarfile.GNUTYPE_LONGNAME) + bytes(512)] * 5000, "not a|headers"),
    ([header(f"ckpt-{n}.index", 0) for n in range(51)], "more than 50 members"),
    # Cut within a file, and within the zeros after it.
    ([header("ckpt-1.index", 700) + bytes(300)], "not a complete .* its end is missing"),
    ([header("ckpt-1.index", 700) + bytes(700)], "not a complete .* its end is missing"),
    ([pax({"size": "-1024"}, tarfile.TarInfo("ckpt-1.index")), bytes(4096)],
     "sparse|complete"),
    ([pax({"path": "../evil"}, tarfile.TarInfo("ckpt-1.index")), bytes(1024)], "outside"),
])
def test_archives_that_would_fill_disk_or_memory(tmp_path, monkeypatch, blocks, reason):
  monkeypatch.setattr(archive_reader, "_MAX_HEADERS", 2**16)
  monkeypatch.setattr(archive_reader, "_MAX_MEMBERS", 50)
  path = compressed(tmp_path / "bomb.tgz", *blocks)
  tracemalloc.start()
  with pytest.raises(ValueError, match=reason) as error:
    unpack(path, tmp_path / "target", max_bytes=2 * 2**20)
  assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
  tracemalloc.stop()
  assert str(error.value).startswith(str(path)) and os.listdir(tmp_path) == ["bomb.tgz"]


def test_members_that_overlap_are_refused(tmp_path):
  """Whatever makes `tarfile` seek back by more than a byte."""
  with gzip.open(compressed(tmp_path / "model.tgz", bytes(1024))) as file:
    reader = archive_reader._Reader(file, 2**20)
    reader.read(700)
    reader.seek(699)
    with pytest.raises(ValueError, match="m.tgz is not a complete .*: its members over"):
      with archive_reader.errors_named("m.tgz"):
        reader.seek(512)


def test_an_archive_is_read_forwards(tmp_path, model, monkeypatch):
  # Sizes that are multiples of a block, after which tarfile seeks back by a byte.
  (model / "ckpt-10.index").write_bytes(b"x" * 512 * 3000)
  (model / "ckpt-11.index").write_bytes(b"y" * 512 * 4000)
  model_archive.pack(model, tmp_path / "model.tgz")
  taken = []

  class File(gzip.GzipFile):
    def seek(self, *args):
      raise AssertionError

    def read(self, size=-1):
      taken.append(size)
      return super().read(size)

  monkeypatch.setattr(archive_reader.gzip, "GzipFile", File)
  unpack(tmp_path / "model.tgz", tmp_path / "copy")
  assert files_below(tmp_path / "copy") == files_below(model)
  assert 0 <= min(taken) and max(taken) <= 2**20
