# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The order of the output, remaining files, and failed files."""

import json

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.export.prediction import engine
from yt8m.export.prediction import runners


class FakeParts:
  """Keeps predictions in memory, two for each file."""

  def __init__(self, finished=()):
    self.kept = set(finished)

  def is_finished(self, path):
    return path in self.kept


@pytest.fixture
def paths(tmp_path):
  made = [str(tmp_path / name) for name in "abcd"]
  for path in made:
    with tf.io.TFRecordWriter(path) as writer:
      writer.write(tfrecords.video_example("v", [0], {}).SerializeToString())
  return made


def runner_in_order(order, parts, bad=(), seen=None):
  """Finishes the missing files in the order of `order`."""
  def runner(parts, missing, advance):
    for index in order(missing):
      path = missing[index]
      if seen is not None:
        seen.append(path)
      if path in bad:
        yield runners.Finished(path, 0, f"{path} is bad")
      else:
        parts.kept.add(path)
        advance(2)
        yield runners.Finished(path, 2)
  return runner


@pytest.mark.parametrize("seed", range(4))
def test_the_output_is_in_the_order_of_the_files(paths, seed):
  def order(missing):
    return np.random.default_rng(seed).permutation(len(missing))

  parts, written, seen = FakeParts(paths[seed:seed + 1]), [], []
  runner = runner_in_order(order, parts, seen=seen)
  assert engine.run(parts, runner, paths, written.append) == {}
  assert written == paths
  assert sorted(seen) == paths[:seed] + paths[seed + 1:]  # finished work is not repeated


def test_what_is_complete_is_written_while_the_rest_is_predicted(paths):
  parts, written, lengths = FakeParts(), [], []

  def runner(parts, missing, advance):
    for path in missing:
      lengths.append(len(written))
      parts.kept.add(path)
      yield runners.Finished(path, 2)

  engine.run(parts, runner, paths, written.append)
  assert lengths == [0, 1, 2, 3]


def test_nothing_is_started_where_all_is_finished(paths):
  written = []
  assert engine.run(FakeParts(paths), None, paths, written.append) == {}
  assert written == paths


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_bad_files_are_left_out_up_to_a_limit(paths, limit):
  parts, written = FakeParts(), []
  runner = runner_in_order(lambda missing: range(len(missing)), parts, paths[1:3])
  if limit < 2:
    with pytest.raises(records.RecordError, match=f"{paths[limit + 1]} is bad"):
      engine.run(parts, runner, paths, written.append, limit)
    assert paths[0] in parts.kept
  else:
    failed = engine.run(
        parts, runner, paths, written.append, limit)
    assert written == [paths[0], paths[3]]
    assert failed == {path: f"{path} is bad" for path in paths[1:3]}


def test_a_link_to_nothing_is_no_list_of_dead_letters(tmp_path):
  (tmp_path / "out.failed.json").symlink_to(tmp_path / "created")
  with pytest.raises(FileExistsError, match="out.failed.json is a symbolic link"):
    engine.write_dead_letters(str(tmp_path / "out.failed.json"), {"a": "bad"})
  assert not (tmp_path / "created").exists()


def test_dead_letters(tmp_path):
  path = tmp_path / "failed.json"
  engine.write_dead_letters(str(path), {"b": "bad", "a": "worse"})
  assert json.loads(path.read_text()) == [
      {"file": "a", "error": "worse"}, {"file": "b", "error": "bad"}]
  engine.write_dead_letters(str(path), {})
  assert not path.exists()
  engine.write_dead_letters(str(path), {})
