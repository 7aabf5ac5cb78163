# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Patterns, interleaving, and all kinds of damaged files."""

import pytest
import tensorflow as tf

from yt8m.data import records


def write(path, payloads):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for payload in payloads:
      writer.write(payload)
  return str(path)


def payloads(letter, count):
  return [f"{letter}{i}".encode() * 10 for i in range(count)]


def read(files, **kwargs):
  with records.clear_errors():
    return [(record[:2].decode(), int(file), int(number))
            for record, file, number in records.read(files, **kwargs).as_numpy_iterator()]


class TestRead:

  def test_every_record_comes_with_its_file_and_number(self, tmp_path):
    counts = {"a": 20, "b": 3, "c": 0, "d": 9}
    files = [write(tmp_path / name, payloads(name, n)) for name, n in counts.items()]
    expected = [(f"{name}{i}"[:2], file, i)
                for file, (name, n) in enumerate(counts.items()) for i in range(n)]
    assert read(files, num_readers=1) == expected
    assert sorted(read(files, num_readers=3)) == sorted(expected)
    assert sorted(read(files, deterministic=False)) == sorted(expected)

  def test_order_is_the_same_every_time(self, tmp_path):
    files = [write(tmp_path / name, payloads(name, 30)) for name in "abcde"]
    first = read(files, num_readers=3)
    assert [file for _, file, _ in first[:6]] == [0, 1, 2, 0, 1, 2]
    assert read(files, num_readers=3) == first

  def test_unbuffered_reading_is_the_same(self, tmp_path):
    files = [write(tmp_path / name, payloads(name, 30)) for name in "ab"]
    assert read(files, record_bytes=2**20) == read(files, record_bytes=1)

  @pytest.mark.parametrize("number", [2, 5])
  def test_shards_partition_the_records(self, tmp_path, number):
    files = [write(tmp_path / name, payloads(name, 11)) for name in "ab"]
    shards = [read(files, shard=(number, i)) for i in range(number)]
    assert sorted(sum(shards, [])) == sorted(read(files))
    assert max(map(len, shards)) - min(map(len, shards)) <= len(files)

  def test_max_per_file(self, tmp_path):
    files = [write(tmp_path / "a", payloads("a", 9)),
             write(tmp_path / "b", payloads("b", 2))]
    assert sorted(read(files, max_per_file=3)) == [
        ("a0", 0, 0), ("a1", 0, 1), ("a2", 0, 2), ("b0", 1, 0), ("b1", 1, 1)]

  def test_empty_record_is_a_record(self, tmp_path):
    assert len(read([write(tmp_path / "a", [b"", b"x", b""])])) == 3


def test_map_named_names_files_and_records():
  batch = tf.data.Dataset.from_tensors((["r", "s"], [1, 0], [3, 12]))
  [(serialized, names)] = records.map_named(
      batch, lambda *args: args, ["p/x", "q"]).as_numpy_iterator()
  assert list(serialized) == [b"r", b"s"]
  assert list(names) == [b"q, record 3", b"p/x, record 12"]


@pytest.mark.parametrize("sizes, estimate", [([5] * 200, 200), ([5, 5, 45], 3), ([], 0)])
def test_estimated_count(tmp_path, sizes, estimate):
  assert records.estimate_count([]) is None
  files = [write(tmp_path / "a", [b"x" * size for size in sizes]),
           write(tmp_path / "b", [])]
  assert (records.estimate_count(files) or 0) == estimate


def cut(data, size):
  return data[:size]


def flip(data, position):
  return data[:position] + bytes([data[position] ^ 1]) + data[position + 1:]


# A record of 20 bytes takes 36 bytes on disk, so record 2 begins at byte 72.
DAMAGE = {
    "truncated in the data": (
        lambda data: cut(data, 90), 2, "is cut off or corrupt: 18 bytes"),
    "truncated in a header": (
        lambda data: cut(data, 80), 2, "is cut off or corrupt: 8 bytes"),
    "truncated by a byte": (
        lambda data: cut(data, -1), 9, "is cut off or corrupt: 35 bytes"),
    "flipped in the data": (
        lambda data: flip(data, 90), 2, "is corrupt or unreadable.* at byte 72"),
    "flipped in a length": (
        lambda data: flip(data, 73), 2, "is cut off or corrupt"),
    "flipped in a checksum": (
        lambda data: flip(data, -1), 9, "is corrupt or unreadable"),
}


class TestDamage:

  @pytest.mark.parametrize("damage", DAMAGE)
  def test_names_file_record_and_remedy(self, tmp_path, damage):
    harm, number, message = DAMAGE[damage]
    good = write(tmp_path / "good", payloads("g", 10))
    bad = tmp_path / "bad"
    write(bad, payloads("b", 10))
    bad.write_bytes(harm(bad.read_bytes()))
    with pytest.raises(records.RecordError, match=f"{bad}, record {number} {message}"
                       ".*--skip_corrupt_records"):
      read([good, str(bad)])

  @pytest.mark.parametrize("damage", DAMAGE)
  def test_skipping_loses_the_rest_of_that_file_only(self, tmp_path, caplog, damage):
    harm, number, _ = DAMAGE[damage]
    good = write(tmp_path / "good", payloads("g", 10))
    bad = tmp_path / "bad"
    write(bad, payloads("b", 10))
    bad.write_bytes(harm(bad.read_bytes()))
    incidents = records.Incidents()
    kept = read([good, str(bad)], skip_corrupt_records=True, incidents=incidents)
    assert len(kept) == 10 + number
    assert incidents.counts == {"damaged files": 1}
    assert str(bad) in caplog.text

  @pytest.mark.parametrize("content", [b"id,label\n" * 50, b"hi"])
  def test_not_a_tfrecord(self, tmp_path, content):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(records.RecordError, match="labels.csv, record 0 is cut off or.*"
                       "not a TFRecord file"):
      read([str(tmp_path / "labels.csv")])

  def test_empty_file_has_no_records(self, tmp_path):
    (tmp_path / "empty").touch()
    assert read([str(tmp_path / "empty")]) == []


def test_clear_errors_leaves_other_errors_alone():
  with pytest.raises(tf.errors.InvalidArgumentError), records.clear_errors():
    tf.reshape(tf.zeros([3]), [2])
