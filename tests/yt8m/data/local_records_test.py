# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The order of local records, and that they are read as TensorFlow reads them."""

import gzip
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import framing
from yt8m.data import local_records
from yt8m.data import locators
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.data.readers import make_reader

COUNTS = (5, 0, 12, 1, 7, 9)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
  folder, paths = tmp_path_factory.mktemp("local"), []
  for file, count in enumerate(COUNTS):
    paths.append(str(folder / f"{file}.tfrecord"))
    with tf.io.TFRecordWriter(paths[-1]) as writer:
      for i in range(count):
        writer.write((f"{file}-{i}" * (1 + i)).encode())
  return paths


def order(dataset, batch_size=4, drop_remainder=False):
  return [(int(file), int(number)) for batch in dataset.batch(batch_size, drop_remainder)
          for file, _, _, number in batch.numpy()]


EVERY = [(file, i) for file, count in enumerate(COUNTS) for i in range(count)]


def test_in_order_one_file_comes_after_the_other(files):
  assert order(local_records.LocalRecords(files)) == EVERY
  assert order(local_records.LocalRecords(files, window_records=1)) == EVERY
  assert order(local_records.LocalRecords(files), 5, True) == EVERY[:30]


@pytest.mark.parametrize("window", [(1, 1), (10, 1), (1, 3), (100, 8)])
def test_shuffled_every_record_comes_once_and_windows_come_one_by_one(files, window):
  shuffled = order(local_records.LocalRecords(files, 3, 0, *window))
  assert sorted(shuffled) == EVERY and shuffled != EVERY
  if window == (1, 1):  # One file after the other, each of them shuffled.
    changes = sum(a != b for (a, _), (b, _) in zip(shuffled, shuffled[1:], strict=False))
    assert changes == sum(map(bool, COUNTS)) - 1
  for skip in (0, 1, 11, 34, 35):
    assert order(local_records.LocalRecords(files, 3, 0, *window).skip(skip)) == (
        shuffled[skip:])


def test_iterations_are_epochs_if_there_is_no_other(files):
  dataset = local_records.LocalRecords(files, 3, None, 10).batch(50)
  found = [next(iter(dataset)).numpy().tolist() for _ in range(3)]
  assert found == [
      next(iter(local_records.LocalRecords(files, 3, i, 10).batch(50))).numpy().tolist()
      for i in range(3)]
  assert found[0] != found[1]


@pytest.mark.parametrize("seed", [None, 3])
def test_shards_are_disjoint_and_complete(files, seed):
  shards = [order(local_records.LocalRecords(files, seed, 0, 10, shard=(3, i)))
            for i in range(3)]
  assert sorted(sum(shards, [])) == EVERY
  assert all(number % 3 == i for i, shard in enumerate(shards) for _, number in shard)


def test_strings_are_those_of_the_files(files):
  dataset = local_records.LocalRecords(files, 3)
  for batch in dataset.strings(dataset.batch(4)).as_numpy_iterator():
    for record, file, number in zip(*batch, strict=True):
      assert record.decode() == f"{file}-{number}" * (1 + number)


def test_records_larger_than_the_memory(tmp_path):
  path, sizes = str(tmp_path / "a"), (3, 3 * locators.RUN_BYTES, 0, 10)
  with tf.io.TFRecordWriter(path) as writer:
    for size in sizes:
      writer.write(b"x" * size)
  found = locators.of_file(0, framing.inspect(path).offsets)
  memory = locators.Memory()
  assert [len(x) for x in locators.read_strings([path], found[::-1], memory)] == [
      *sizes[::-1]]
  starts, ends = locators.load([path], found[[2, 1, 3]], memory)
  assert (ends - starts).tolist() == [0, sizes[1], 10]


def harm(path, position):
  data = bytearray(open(path, "rb").read())
  data[position] ^= 1
  open(path, "wb").write(data)


@pytest.mark.parametrize("position", [8, 12, -1, 40])
def test_a_bad_checksum_names_file_and_record(tmp_path, position):
  path = str(tmp_path / "a")
  with tf.io.TFRecordWriter(path) as writer:
    for _ in range(3):
      writer.write(b"x" * 8)
  found = locators.of_file(0, framing.inspect(path).offsets)
  harm(path, position)
  number = {8: 0, 12: 0, -1: 2, 40: 1}[position]
  for read in (lambda: list(locators.read([path], found, locators.Memory())),
               lambda: locators.load([path], found, locators.Memory())):
    with pytest.raises(locators.DamagedError, match=f"/a, record {number} is corrupt"):
      read()


@pytest.mark.parametrize("change, message", [
    (lambda path: open(path, "r+b").truncate(30), "record 1 was changed while"),
    (lambda path: open(path, "wb").close(), "record 0 was changed while"),
    (lambda path: path.unlink(), "cannot be read: No such file")])
def test_files_that_change_after_they_were_indexed(tmp_path, change, message):
  path = tmp_path / "a"
  with tf.io.TFRecordWriter(str(path)) as writer:
    for _ in range(3):
      writer.write(b"x" * 8)
  found = locators.of_file(0, framing.inspect(str(path)).offsets)
  change(path)
  for read in (lambda: list(locators.read([str(path)], found, locators.Memory())),
               lambda: locators.load([str(path)], found, locators.Memory())):
    with pytest.raises(locators.DamagedError, match=message):
      read()


class TestAsTensorFlowReads:
  """The same batches and errors as on the path of remote and compressed files."""

  LEVELS = {
      "video": (FeatureSpec(("a", "b"), (3, 2), "video"), {}),
      "half": (FeatureSpec(("a", "b"), (3, 2), "video", ("float16", "float32")), {}),
      "frame": (FeatureSpec(("a", "b"), (3, 2), "frame"), {}),
      "unpadded": (FeatureSpec(("a", "b"), (3, 2), "frame"),
                   {"pad_to_max_frames": False}),
      "floats": (FeatureSpec(("a", "b"), (3, 2), "frame", ("float16", "float32")), {}),
      "segment": (FeatureSpec(("a", "b"), (3, 2), "segment"), {})}

  @staticmethod
  def example(level, i, rng):
    if level in ("video", "half"):
      features = {"a": rng.normal(size=3), "b": rng.normal(size=2)}
      if i == 7:
        del features["b"]
      return tfrecords.video_example(f"v{i}", [i % 4, 1], features)
    dtypes = ("float16", "float32") if level == "floats" else ("uint8", "uint8")
    features = {name: rng.integers(1, 255, (1 + i % 9, size)).astype(dtype)
                for name, size, dtype in zip("ab", (3, 2), dtypes, strict=True)}
    if i == 7:
      del features["b"]
    if i == 13:
      features["a"] = features["a"][:1]
    if level == "segment":
      return tfrecords.segment_example(
          f"v{i}", [1], features, [(0, i % 4, 1.0), (50, 1, 0.0)])
    return tfrecords.frame_example(
        f"v{i}", [i % 4, 1], features, float_lists=level == "floats" and i % 3 == 0)

  def write(self, path, level, count=23, odd=()):
    rng = np.random.default_rng(0)
    with tf.io.TFRecordWriter(str(path)) as writer:
      for i in range(count):
        writer.write(dict(odd).get(i) or self.example(level, i, rng).SerializeToString())

  def read(self, level, pattern, monkeypatch, local, **kwargs):
    """Returns all batches, or the error, and the incidents."""
    monkeypatch.setattr(locators, "has_fast_checksums", lambda: local)
    spec, arguments = self.LEVELS[level]
    reader = make_reader(spec, 4, 6, **arguments)
    try:
      with records.clear_errors(reader.explain):
        batches = list(reader.dataset(
            str(pattern), 5, num_readers=1, **kwargs).as_numpy_iterator())
    except records.RecordError as error:
      batches = str(error)
    return batches, reader.incidents.counts

  def compare(self, *args, **kwargs):
    (found, counts), (expected, expected_counts) = (
        self.read(*args, local=local, **kwargs) for local in (True, False))
    if isinstance(expected, str):  # Batches after the error may have been read already.
      assert found == expected
    else:
      assert counts == expected_counts
      tf.nest.map_structure(np.testing.assert_array_equal, found, expected)
    return expected, counts

  @pytest.mark.parametrize("level", LEVELS)
  def test_batches_and_incidents(self, tmp_path, monkeypatch, level):
    self.write(tmp_path / "a", level)
    self.write(tmp_path / "b", level, 2)
    batches, counts = self.compare(level, f"{tmp_path}/*", monkeypatch)
    assert len(batches) == 5 and counts

  @pytest.mark.parametrize("level", ["video", "frame", "segment"])
  @pytest.mark.parametrize("skip_bad_records", [False, True])
  def test_bad_records(self, tmp_path, monkeypatch, level, skip_bad_records):
    no_id = self.example(level, 0, np.random.default_rng(0))
    message = no_id.features if level == "video" else no_id.context
    del message.feature["id"]
    self.write(tmp_path / "a", level, odd={9: no_id.SerializeToString(), 12: b"\x0a\xff"})
    found, counts = self.compare(level, f"{tmp_path}/a", monkeypatch,
                                 skip_bad_records=skip_bad_records)
    if skip_bad_records:
      assert sum(n for kind, n in counts.items() if "bad records" in kind) == 2
    else:
      assert "/a, record 9 has neither id nor video_id" in found or level == "segment"

  @pytest.mark.parametrize("level", ["video", "frame"])
  @pytest.mark.parametrize("position", [100, -3, -400])
  @pytest.mark.parametrize("skip", [False, True])
  def test_damage(self, tmp_path, monkeypatch, level, position, skip):
    self.write(tmp_path / "a", level)
    self.write(tmp_path / "b", level)
    harm(tmp_path / "a", position)
    found, counts = self.compare(level, f"{tmp_path}/*", monkeypatch,
                                 skip_corrupt_records=skip)
    assert (counts["damaged files"] == 1) == skip
    assert skip or "/a, record" in found

  @pytest.mark.parametrize("level", ["video", "frame"])
  def test_a_pattern_with_a_compressed_file(self, tmp_path, monkeypatch, level):
    self.write(tmp_path / "a", level)
    (tmp_path / "b").write_bytes(gzip.compress((tmp_path / "a").read_bytes()))
    batches: Any = self.compare(level, f"{tmp_path}/*", monkeypatch)[0]
    assert sum(len(batch["id"]) for batch in batches) == 46
