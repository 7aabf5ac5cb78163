# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Damaged checkpoints and lost lists: the newest good one is found, with a warning."""

import os

import pytest
import tensorflow as tf
from absl import logging as absl_logging

from yt8m.configs import best_checkpoint
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.training import saving

DATA, INDEX, LIST = "model.ckpt-9.data-00000-of-00001", "model.ckpt-9.index", "checkpoint"


@pytest.fixture
def directory(tmp_path, caplog):
  absl_logging.use_python_logging()
  folder = tmp_path / "model [1]"
  folder.mkdir()
  saver = saving.Saver(tf.train.Checkpoint(x=tf.Variable(tf.random.normal([300]))),
                       str(folder), keep=5)
  for step in (3, 6, 9):
    saver.save(step, {})
  return folder


def flip(path, at):
  content = bytearray(path.read_bytes())
  content[at] ^= 1
  path.write_bytes(content)


def cut(path):
  path.write_bytes(path.read_bytes()[:-40])


def replace(path, before, after):
  path.write_text(path.read_text().replace(before, after))


DAMAGE = {
    "a byte of data": (lambda d: flip(d / DATA, 700), "has other bytes than"),
    "the last byte": (lambda d: flip(d / DATA, -1), "has other bytes than were written"),
    "a byte of the index": (lambda d: flip(d / INDEX, -40), "has other bytes"),
    "data cut": (lambda d: cut(d / DATA), r"has [\d,]+ of [\d,]+ bytes"),
    "data empty": (lambda d: (d / DATA).write_bytes(b""), r"has 0 of [\d,]+ bytes"),
    "index empty": (lambda d: (d / INDEX).write_bytes(b""), r"has 0 of [\d,]+ bytes"),
    "no data": (lambda d: (d / DATA).unlink(), "data-00000-of-00001 is missing"),
    "no index": (lambda d: (d / INDEX).unlink(), "index is missing"),
    "a byte of the manifest": (lambda d: flip(d / "model.ckpt-9.json", 60), "manifest"),
    "a number of the manifest": (
        lambda d: replace(d / "model.ckpt-9.json", '"format": 1', '"format": 2'),
        "its own digest differs"),
}


@pytest.mark.parametrize("older", [False, True], ids=["manifest", "older"])
@pytest.mark.parametrize("name", DAMAGE)
def test_the_newest_good_one_is_used_and_the_damaged_one_named(
    name, older, directory, caplog):
  damage, reason = DAMAGE[name]
  if older:
    if name == "a byte of the index" or "manifest" in name:
      pytest.skip("Only a manifest can tell.")
    for path in directory.glob("*.json"):
      path.unlink()
    reason = "" if "missing" not in reason else "missing"
  damage(directory)
  assert checkpoints.latest(str(directory)) == f"{directory}/model.ckpt-6"
  assert "Damaged: " in caplog.text and f"Using {directory}/model.ckpt-6" in caplog.text
  for value in ("9", f"{directory}/model.ckpt-9"):
    with pytest.raises(ValueError, match=f"--checkpoint={value[0]}.*damaged: .*{reason}"):
      checkpoints.find(str(directory), value)
  assert checkpoints.find(str(directory), "3") == f"{directory}/model.ckpt-3"


@pytest.mark.parametrize("content", [
    None, b"", b"\xff\x00garbage", b"model_checkpoint_path: 'model.ckpt-9", b"{}",
    b'model_checkpoint_path: "best"', b'model_checkpoint_path: "model.ckpt-12"'])
def test_a_list_that_is_lost_or_wrong(content, directory, caplog):
  if content is None:
    (directory / LIST).unlink()
  else:
    (directory / LIST).write_bytes(content)
  assert checkpoints.exist(str(directory))
  assert checkpoints.latest(str(directory)) == f"{directory}/model.ckpt-9"
  assert ("12 (its files are missing)" if content and b"12" in content
          else "found by their names") in caplog.text


def test_a_list_that_was_set_back_is_followed(directory, caplog):
  checkpoint_files.set_newest(str(directory), f"{directory}/model.ckpt-6")
  assert checkpoints.latest(str(directory)) == f"{directory}/model.ckpt-6"
  assert checkpoints.find(str(directory), "9") == f"{directory}/model.ckpt-9"
  assert not caplog.text


def test_the_best_one_is_damaged(directory, caplog):
  best_checkpoint.Best(9, "gap", 0.5, "validate*").save(str(directory))
  assert checkpoints.find(str(directory), "best") == f"{directory}/model.ckpt-9"
  cut(directory / DATA)
  with pytest.raises(ValueError, match=r"--checkpoint=best, .*-9, is damaged: .* bytes.*"
                     "Give --checkpoint=latest or a step"):
    checkpoints.find(str(directory), "best")
  assert checkpoints.find(str(directory), "latest") == f"{directory}/model.ckpt-6"
  assert checkpoints.find(str(directory), None) == f"{directory}/model.ckpt-6"
  assert "The newest good one is used." in caplog.text


def test_a_list_of_absolute_paths_survives_moving(directory):
  (directory / LIST).write_text('model_checkpoint_path: "/old/place/model.ckpt-6"\n'
                                'all_model_checkpoint_paths: "/old/place/model.ckpt-6"')
  assert checkpoints.latest(str(directory)) == f"{directory}/model.ckpt-6"


def test_a_list_of_somebody_else_deletes_no_file_of_the_user(directory):
  paths = ["results-0", "model.ckpt-1.thesis-1", *(f"a-{n}" for n in range(2, 9)),
           "model.ckpt-9"]
  (directory / LIST).write_text('model_checkpoint_path: "model.ckpt-9"\n' + "\n".join(
      f'all_model_checkpoint_paths: "{path}"' for path in paths))
  mine = [directory / "results-0.json", directory / "model.ckpt-1.thesis-1.index"]
  for path in mine:
    path.write_text("mine")
  saver = saving.Saver(tf.train.Checkpoint(x=tf.Variable(1.0)), str(directory), keep=1,
                       newest=f"{directory}/model.ckpt-9")
  saver.save(12, {})
  assert [path.read_text() for path in mine] == ["mine", "mine"]
  assert not (directory / INDEX).exists()  # What is ours is deleted.


def test_what_does_not_exist_and_what_is_all_damaged(directory):
  for name in ("4", "model.ckpt-9", str(directory), "/no/such-4"):
    with pytest.raises(FileNotFoundError, match=r"does not exist: give.* has 3, 6, 9\.$"):
      checkpoints.find(str(directory), name)
  for path in directory.glob("*.data-*"):
    cut(path)
  with pytest.raises(ValueError, match="Every checkpoint of .* damaged: .*-9 .*-6 .*-3"):
    checkpoints.latest(str(directory))
  assert checkpoints.exist(str(directory))


def test_a_checkpoint_of_an_older_version_is_adopted(directory):
  path = f"{directory}/model.ckpt-9"
  (directory / "model.ckpt-9.json").unlink()
  assert checkpoint_files.damage(path) is None
  checkpoint_files.adopt(path, {"flags": {"batch_size": 4}})
  assert checkpoint_files.Manifest.load(path).training == {"flags": {"batch_size": 4}}
  flip(directory / INDEX, -40)
  assert "other bytes" in checkpoint_files.damage(path)


def test_watching_yields_each_good_checkpoint_once(directory):
  watch = checkpoints.watch(str(directory), 0.01, 0.05)
  assert next(watch).endswith("-9")
  saver = saving.Saver(tf.train.Checkpoint(x=tf.Variable(1)), str(directory), 5,
                       f"{directory}/model.ckpt-9")
  saver.save(12, {})
  assert next(watch).endswith("-12")
  flip(directory / "model.ckpt-12.index", 5)
  assert list(watch) == []


def test_pipes_are_not_waited_for(tmp_path):
  path = checkpoint_files.of_step(tmp_path, 1)
  for name in (checkpoint_files.LIST, f"{path}.index", f"{path}.data-00000-of-00001"):
    os.mkfifo(tmp_path / name)
  assert checkpoint_files.listed(tmp_path) == {}
  assert "it is a pipe" in (checkpoint_files.damage(path) or "")
