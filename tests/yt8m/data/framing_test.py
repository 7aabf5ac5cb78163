# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Record files that TensorFlow must not be given as they are."""

import errno
import gzip
import os
import struct
import zlib

import pytest
import tensorflow as tf

from yt8m.data import framing
from yt8m.data import records
from yt8m.data import tfrecords


def write(path, count=20, compression=None):
  with tf.io.TFRecordWriter(str(path), compression) as writer:
    for index in range(count):
      writer.write(f"{index:>30}")
  return str(path)


def read(files, **kwargs):
  if isinstance(files, str):
    files = [files]
  with records.clear_errors():
    return [int(record) for record, _, _ in
            records.read(files, **kwargs).as_numpy_iterator()]


def header(length):
  """Returns the header of a record of any length, with the checksum that fits."""
  crc = crc32c(struct.pack("<Q", length))
  return struct.pack("<QI", length, ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff)


def crc32c(data):
  crc = 0xffffffff
  for byte in data:
    crc ^= byte
    for _ in range(8):
      crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
  return crc ^ 0xffffffff


def test_the_header_is_right(tmp_path):
  with open(write(tmp_path / "a", 1), "rb") as file:
    assert file.read(12) == header(30)


@pytest.mark.parametrize("length", [2**40, 2**63, 2**64 - 1])
def test_a_length_beyond_the_file_is_named(tmp_path, length):
  path = write(tmp_path / "a", 3)
  with open(path, "ab") as file:
    file.write(header(length) + bytes(100))
  with pytest.raises(records.RecordError, match="/a, record 3 is cut off or corrupt: 112 "
                     "bytes are left for it at byte 138"):
    read(path)
  incidents = records.Incidents()
  assert read(path, skip_corrupt_records=True, incidents=incidents) == [0, 1, 2]
  assert incidents.counts == {"damaged files": 1}
  assert records.estimate_count([path]) > 3


@pytest.mark.parametrize("make, reason", [
    (lambda path: None, "No such file or directory"),
    (os.mkdir, "it is a directory"), (os.mkfifo, "it is no regular file")])
def test_what_cannot_be_read_is_an_error_at_once(tmp_path, make, reason):
  files = [write(tmp_path / "a"), str(tmp_path / "b")]
  make(files[1])
  for skip in (False, True):  # It is not a damaged file.
    with pytest.raises(records.RecordError,
                       match=f"/b cannot be read: {reason}. Restore"):
      read(files, skip_corrupt_records=skip)


def test_a_file_that_becomes_unreadable_between_two_epochs(tmp_path, monkeypatch):
  dataset = records.read([write(tmp_path / "a")])
  assert len(list(dataset)) == 20

  def refuse(path, mode):  # As for mode 000, which root may read.
    raise PermissionError(errno.EACCES, "Permission denied", path)

  monkeypatch.setattr(framing, "open", refuse, raising=False)
  with pytest.raises(records.RecordError, match="/a cannot be read: Permission denied"):
    with records.clear_errors():
      list(dataset)


def test_a_pipe_is_not_waited_for_to_estimate_its_records(tmp_path):
  os.mkfifo(tmp_path / "a")
  assert records.estimate_count([str(tmp_path / "a"), write(tmp_path / "b", 7)]) == 7


def test_remote_files():
  plain = write("ram://framing_test/plain", 5)
  zipped = write("ram://framing_test/zipped", 5, "GZIP")
  assert read([plain, zipped], num_readers=1) == 2 * [*range(5)]
  assert records.estimate_count([plain]) == 5
  with tf.io.gfile.GFile(zipped, "rb") as file:
    cut = file.read()[:-9]
  for name, content in {"cut": cut, "long": header(2**40) + bytes(100)}.items():
    with tf.io.gfile.GFile(f"ram://framing_test/{name}", "wb") as file:
      file.write(content)
  with pytest.raises(records.RecordError, match="/cut, record .* cannot be decompressed"):
    read("ram://framing_test/cut")
  with pytest.raises(records.RecordError, match="/long, record 0 is cut off or corrupt"):
    read("ram://framing_test/long")
  assert records.estimate_count(["ram://framing_test/long"]) is None
  with pytest.raises(records.RecordError, match="/missing cannot be read: No such file"):
    read("ram://framing_test/missing")


def test_a_file_that_goes_away_between_two_epochs(tmp_path):
  files = [write(tmp_path / name) for name in "ab"]
  dataset = records.read(files, num_readers=1)
  assert len(list(dataset)) == 40
  os.remove(files[1])
  with pytest.raises(records.RecordError, match="/b cannot be read"):
    with records.clear_errors():
      list(dataset)


def test_files_without_records_are_named(tmp_path, caplog):
  files = [write(tmp_path / "a", 2), write(tmp_path / "b", 0)]
  incidents = records.Incidents()
  assert read(files, incidents=incidents) == [0, 1]
  assert incidents.counts == {"empty files": 1}
  assert "/b has no records." in caplog.text


@pytest.mark.parametrize("compression", ["GZIP", "ZLIB"])
def test_compressed_files_are_recognised(tmp_path, compression):
  path = write(tmp_path / "a", 30, compression)
  assert framing.inspect(path) == framing.Framing(30, compression)
  assert read([path, write(tmp_path / "b", 5)], num_readers=1) == [*range(30), *range(5)]
  assert records.estimate_count([path, path]) == 60


def test_files_of_gzip_one_after_another(tmp_path):
  parts = [write(tmp_path / name, 30, "GZIP") for name in "ab"]
  (tmp_path / "c").write_bytes(b"".join(open(part, "rb").read() for part in parts))
  assert read(str(tmp_path / "c")) == 2 * [*range(30)]


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_damage_in_compressed_files(tmp_path, compress):
  plain = (tmp_path / "plain")
  write(plain, 30)
  path = tmp_path / "a"
  path.write_bytes(compress(plain.read_bytes()[:-7]))  # the last record is cut
  with pytest.raises(records.RecordError, match="/a, record 29 is cut off or corrupt"):
    read(str(path))
  assert read(str(path), skip_corrupt_records=True) == list(range(29))
  path.write_bytes(compress(plain.read_bytes())[:-9])
  with pytest.raises(records.RecordError, match="/a, record .* cannot be decompressed"):
    read(str(path))
  flipped = bytearray(plain.read_bytes())
  flipped[46 * 4 + 20] ^= 1
  path.write_bytes(compress(bytes(flipped)))
  with pytest.raises(records.RecordError, match="/a, record 4 .* its checksum fails"):
    read(str(path))


def test_a_bare_example_is_named_as_what_it_is(tmp_path):
  path = tmp_path / "features.pb"
  path.write_bytes(tfrecords.video_example(
      "id", [1], {"mean_rgb": [1.0, 2.0]}).SerializeToString())
  with pytest.raises(records.RecordError, match="features.pb is one serialized "
                     "tf.train.SequenceExample, not a TFRecord file. Write what such "
                     "files hold .* or leave it out of the pattern.$"):
    read(str(path))
