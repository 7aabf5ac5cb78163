# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Saving loses no checkpoint: killed at every moment, and with a full disk."""

import itertools
import os

import pytest
import tensorflow as tf

from tests.helpers import full_disk
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.core import files
from yt8m.training import saving


class Killed(BaseException):
  """Ends a save without any cleaning up, as SIGKILL does."""


def make_saver(directory, **options):
  variable = tf.Variable(0)
  checkpoint = tf.train.Checkpoint(x=variable)
  newest = (checkpoints.latest(str(directory))
            if checkpoints.exist(str(directory)) else None)
  return variable, saving.Saver(checkpoint, str(directory), newest=newest,
                                **{"keep": 2, **options})


def save(variable, saver, *steps):
  for step in steps:
    variable.assign(step)
    saver.save(step, {"flags": {"batch_size": 4}})


def value(path):
  return tf.train.load_variable(path, "x/.ATTRIBUTES/VARIABLE_VALUE")


def below(directory):
  return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))


def names_of(*steps):
  return sorted(["checkpoint", *(
      f"model.ckpt-{step}.{end}" for step in steps
      for end in ("data-00000-of-00001", "index", "json"))])


def test_the_newest_ones_are_kept_and_listed(tmp_path):
  variable, saver = make_saver(tmp_path)
  save(variable, saver, 3, 6, 9)
  assert below(tmp_path) == names_of(6, 9)
  assert tf.train.latest_checkpoint(str(tmp_path)) == f"{tmp_path}/model.ckpt-9"
  state = tf.train.get_checkpoint_state(str(tmp_path))
  assert list(state.all_model_checkpoint_paths) == [
      f"{tmp_path}/model.ckpt-{step}" for step in (6, 9)]
  assert checkpoint_files.Manifest.load(f"{tmp_path}/model.ckpt-9").training == {
      "flags": {"batch_size": 4}}
  assert [checkpoint_files.damage(f"{tmp_path}/model.ckpt-{step}")
          for step in (6, 9)] == [None, None]


def kill_at(monkeypatch, count):
  """Ends the process, as it were, before the operation of this number."""
  calls = itertools.count()

  def counted(function):
    def call(*args, **kwargs):
      if next(calls) == count:
        raise Killed
      return function(*args, **kwargs)
    return call

  for module, name in ((files, "sync"), (tf.io.gfile, "rename"), (os, "replace"),
                       (tf.io.gfile, "remove"), (tf.io.gfile, "rmtree"),
                       (tf.io.gfile, "makedirs")):
    monkeypatch.setattr(module, name, counted(getattr(module, name)))


@pytest.mark.parametrize("saved_before", [False, True], ids=["new", "over an old one"])
def test_killed_anywhere_a_good_checkpoint_is_left_and_nothing_else(
    tmp_path, monkeypatch, saved_before):
  for count in itertools.count():
    directory = tmp_path / str(count)
    directory.mkdir()
    variable, saver = make_saver(directory)
    save(variable, saver, 3, 6)
    if saved_before:  # as if the list had been set back: its files are still there
      save(variable, saver, 9)
      path = f"{directory}/model.ckpt-6"
      saver._times = checkpoint_files.set_newest(str(directory), path)
    with monkeypatch.context() as patch:
      kill_at(patch, count)
      try:
        save(variable, saver, 9)
        break
      except Killed:
        pass
    path = checkpoints.latest(str(directory))
    assert checkpoint_files.damage(path) is None
    assert value(path) == checkpoints.step_of(path) and value(path) in (6, 9)
    make_saver(directory)  # cleans up
    left = set(below(directory)) - set(names_of(3, 6, 9))
    assert not left, count
    if value(path) == 9:  # which has taken the place of 3
      assert below(directory) == names_of(6, 9), count
    again, saver = make_saver(directory)
    save(again, saver, 9, 12)
    assert set(names_of(9, 12)) <= set(below(directory))
  assert count > 12


def test_what_is_renamed_is_on_the_disk(tmp_path, monkeypatch):
  variable, saver = make_saver(tmp_path)
  save(variable, saver, 3, 6)
  events, fsync = [], os.fsync

  def record(what, function):
    def call(source, target, **kwargs):
      events.append((what, os.path.relpath(source, tmp_path),
                     os.path.relpath(target, tmp_path)))
      return function(source, target, **kwargs)
    return call

  def record_fsync(descriptor):
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    events.append(("fsync", os.path.relpath(path, tmp_path), ""))
    fsync(descriptor)

  def record_removal(path):
    events.append(("remove", os.path.relpath(path, tmp_path), ""))
    remove(path)

  remove = tf.io.gfile.remove
  monkeypatch.setattr(os, "fsync", record_fsync)
  monkeypatch.setattr(tf.io.gfile, "remove", record_removal)
  monkeypatch.setattr(tf.io.gfile, "rename", record("rename", tf.io.gfile.rename))
  monkeypatch.setattr(os, "replace", record("rename", os.replace))
  save(variable, saver, 9)
  stored, renamed = set(), []
  for what, source, target in events:
    if what == "fsync":
      stored.add(source)
    elif what == "rename":
      assert source in stored, f"{source} is renamed before its bytes are stored"
      stored -= {source, target, os.path.dirname(target) or "."}
      renamed.append(target)
      if target.endswith("9.index"):
        # What it counts by comes after the others are known to be there.
        assert events[events.index((what, source, target)) - 1] == ("fsync", ".", "")
    elif source.endswith("3.index"):  # The new list is stored before an old one goes.
      assert "." in stored and renamed[-1] == "checkpoint"
  assert renamed[1:5] == [f"model.ckpt-9.{end}" for end in (
      "data-00000-of-00001", "json", "index")] + ["checkpoint"]
  assert stored >= {"."}


def test_a_full_disk_is_an_error_that_leaves_nothing(tmp_path):
  variable, saver = make_saver(tmp_path)
  save(variable, saver, 3)
  before = below(tmp_path)
  with (full_disk.full_disk(after=100),
        pytest.raises(OSError, match="model.ckpt-6 cannot be saved: File too large.$")):
    save(variable, saver, 6)
  assert below(tmp_path) == before
  assert value(checkpoints.latest(str(tmp_path))) == 3
  save(variable, saver, 9)
  assert value(checkpoints.latest(str(tmp_path))) == 9


def test_only_what_a_killed_training_left_is_removed(tmp_path):
  variable, saver = make_saver(tmp_path)
  save(variable, saver, 3)
  ours = (".saving/model.ckpt-6.data-00000-of-00001",
          "model.ckpt-6_temp/part-00000-of-00001.data-00000-of-00001.tempstate12",
          "config.json.tmp0123abcd", f"checkpoint.tmp{32 * 'a'}")
  foreign = (".saving/notes.txt", "model.ckpt-9_temp/notes.txt", "config.json.tmp",
             "config.json.tmp-mine", "model.ckpt-best.data",
             "mine/.saving/model.ckpt-1.x", "model.ckpt-7.data-00000-of-00001",
             "checkpoint.tmp-mine")
  for name in (*ours, *foreign):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("")
  outside = tmp_path / "outside"
  outside.mkdir()
  (outside / "part-0").write_text("mine")
  (tmp_path / "model.ckpt-8_temp").symlink_to(outside)
  make_saver(tmp_path)
  left = below(tmp_path)
  assert not set(ours) & set(left) and set(foreign) <= set(left)
  assert "model.ckpt-6_temp" not in left and (outside / "part-0").exists()


def test_a_lost_list_is_made_anew_and_no_checkpoint_is_forgotten(tmp_path):
  variable, saver = make_saver(tmp_path, keep=3)
  save(variable, saver, 3, 6, 9)
  (tmp_path / "checkpoint").unlink()
  variable, saver = make_saver(tmp_path, keep=3)
  save(variable, saver, 12)
  assert below(tmp_path) == names_of(6, 9, 12)
