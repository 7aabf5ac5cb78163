# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writing in parts: joining, resuming, and no incomplete output."""

import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers import full_disk
from tests.helpers import support
from yt8m.eval.predictions import store as prediction_store
from yt8m.eval.predictions import writer as prediction_store_writer

CLASSES = 12
SIZES = (3, 0, 70, 1)
NAMES = [f"file{i}" for i in range(len(SIZES))]


def batch(part):
  rng = np.random.default_rng(part)
  ids = [b"%s-%d" % (b"v" * part, row) for row in range(SIZES[part])]
  shape = (SIZES[part], CLASSES)
  return ids, rng.random(shape), rng.random(shape) < 0.2


def writer(directory, **options):
  return prediction_store_writer.StoreWriter(
      str(directory), CLASSES, **{"top_k": 4, "model": "abc", **options})


def write_missing(ours, batches=None):
  """Writes the missing parts and returns their names."""
  missing = [name for name in NAMES if not ours.is_finished(name)]
  for name in missing:
    with ours.part(name) as part:
      part.add(*(batches or batch)(NAMES.index(name)))
  return missing


@pytest.mark.parametrize("dense", [False, True])
def test_parts_are_joined_in_the_order_of_the_names(tmp_path, dense):
  ours = writer(tmp_path / "store", dense=dense)
  for name in reversed(NAMES):
    with ours.part(name) as part:
      part.add(*batch(NAMES.index(name)))
  store = ours.finish(NAMES)
  ids, scores, labels = (np.concatenate(arrays) for arrays in zip(
      *(batch(part) for part in range(len(SIZES)) if SIZES[part]), strict=True))
  np.testing.assert_array_equal(store.ids, ids)
  kept = scores if dense else np.where(
      scores >= -np.sort(-scores, axis=1)[:, 3:4], scores, 0)
  np.testing.assert_array_equal(
      store.dense_rows(slice(None)), kept.astype(np.float16).astype(np.float32))
  np.testing.assert_array_equal(store.labels.rows, np.nonzero(labels)[0])
  np.testing.assert_array_equal(store.labels.classes, np.nonzero(labels)[1])
  assert store.parts == NAMES
  assert os.listdir(tmp_path) == ["store"]


def test_finished_parts_are_left_alone(tmp_path):
  first = writer(tmp_path / "store")
  with first.part(NAMES[2]) as part:
    part.add(*batch(2))
  assert write_missing(writer(tmp_path / "store")) == [NAMES[0], NAMES[1], NAMES[3]]
  again = writer(tmp_path / "store")
  assert write_missing(again) == []
  resumed = pathlib.Path(again.finish(NAMES).directory)
  unbroken = writer(tmp_path / "unbroken")
  write_missing(unbroken)
  expected = pathlib.Path(unbroken.finish(NAMES).directory)
  for path in expected.iterdir():
    assert path.read_bytes() == (resumed / path.name).read_bytes()


@pytest.mark.parametrize("options", [{"top_k": 3}, {"model": "abd"}, {"dense": True}])
def test_parts_of_other_settings_are_made_again(tmp_path, options):
  write_missing(writer(tmp_path / "store"))
  other = writer(tmp_path / "store", **options)
  with pytest.raises(ValueError, match="with"):
    other.finish(NAMES)
  assert write_missing(other) == NAMES
  store = other.finish(NAMES)
  assert store.model == options.get("model", "abc")


@pytest.mark.parametrize("name", ["ids.npy", "scores.npy", "store.json"])
def test_damaged_parts_are_made_again(tmp_path, name):
  ours = writer(tmp_path / "store")
  write_missing(ours)
  for path in (tmp_path / "store.parts").glob(f"*/{name}"):
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)
  with pytest.raises(ValueError, match=name):
    ours.finish(NAMES)
  assert not (tmp_path / "store").exists()
  assert write_missing(writer(tmp_path / "store")) == NAMES
  assert len(writer(tmp_path / "store").finish(NAMES).ids) == sum(SIZES)


def test_a_part_that_fails_leaves_nothing(tmp_path):
  ours = writer(tmp_path / "store")
  with pytest.raises(KeyError), ours.part("bad") as part:
    part.add(*batch(0))
    raise KeyError
  assert not ours.is_finished("bad")
  with pytest.raises(FileNotFoundError, match="holds no predictions"):
    ours.finish(["bad"])
  assert not (tmp_path / "store").exists()


def test_a_full_disk_leaves_no_store_and_no_half_part(tmp_path):
  ours = writer(tmp_path / "store")
  with ours.part(NAMES[0]) as part:
    part.add(*batch(0))
  with full_disk.full_disk(after=600), pytest.raises(OSError), ours.part("2") as part:
    part.add(*batch(2))
  assert len(os.listdir(tmp_path / "store.parts")) == 1
  assert write_missing(writer(tmp_path / "store")) == NAMES[1:]
  with full_disk.full_disk(after=600), pytest.raises(OSError):
    writer(tmp_path / "store").finish(NAMES)
  assert not (tmp_path / "store").exists()
  assert len(writer(tmp_path / "store").finish(NAMES).ids) == sum(SIZES)


_KILLED = """
import os, signal, sys
from tests.eval.predictions import writer_test as test
ours = test.writer(sys.argv[1])
def batch(part):
  if part == 2:
    os.kill(os.getpid(), signal.SIGKILL)
  return test.batch(part)
test.write_missing(ours, batch)
"""


def test_sigkill_loses_the_part_that_was_being_written(tmp_path):
  killed = subprocess.run(
      [sys.executable, "-c", _KILLED, str(tmp_path / "store")], env=support.ENVIRONMENT,
      cwd=support.ROOT, check=False)
  assert killed.returncode == -signal.SIGKILL
  assert not (tmp_path / "store").exists()
  ours = writer(tmp_path / "store")
  assert write_missing(ours) == NAMES[2:]
  assert len(ours.finish(NAMES).ids) == sum(SIZES)


def test_a_video_twice_is_named_with_its_parts(tmp_path):
  ours = writer(tmp_path / "store")
  for name in ("one", "two", "three"):
    with ours.part(name) as part:
      part.add([name.encode(), b"same" if name != "one" else b"other"],
               np.zeros((2, CLASSES)))
  with pytest.raises(ValueError, match="'same' is .* twice .in two and in three"):
    ours.finish()
  with pytest.raises(ValueError, match="the part 'one' is written twice"):
    with ours.part("one"):
      pass


def test_labels_in_some_parts_only(tmp_path):
  ours = writer(tmp_path / "store")
  write_missing(ours, lambda part: batch(part)[:2 + part % 2])
  with pytest.raises(ValueError, match="some parts have labels, others have not"):
    ours.finish(NAMES)


def test_no_videos(tmp_path):
  ours = writer(tmp_path / "store")
  with ours.part("empty"):
    pass
  with pytest.raises(ValueError, match="no videos"):
    ours.finish()
  with pytest.raises(ValueError, match="no videos"):
    writer(tmp_path / "other").finish([])


def test_where_a_store_may_be_written(tmp_path):
  (tmp_path / "empty").mkdir()
  ours = writer(tmp_path / "empty")
  write_missing(ours)
  store = ours.finish(NAMES)
  assert prediction_store.PredictionStore.open(store.directory).num_videos == sum(SIZES)
  with pytest.raises(FileExistsError, match="empty exists .* delete it or name another"):
    writer(tmp_path / "empty")
  with pytest.raises(ValueError, match="must be local"):
    writer("gs://bucket/store")
  with pytest.raises(ValueError, match="top_k=0 must be at least 1"):
    writer(tmp_path / "none", top_k=0)
