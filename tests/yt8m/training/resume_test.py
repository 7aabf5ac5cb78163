# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What has changed since a checkpoint is said, and what is not exact needs a flag."""

import logging
import re

import numpy as np
import pytest
import tensorflow as tf
from absl import logging as absl_logging

from tests.helpers import support
from tests.yt8m.training import loop_test
from yt8m.configs import checkpoints
from yt8m.core import locks
from yt8m.data import tfrecords
from yt8m.training import resume
from yt8m.training import saving

FLAGS = {"seed": 0, "batch_size": 4, "num_readers": 8, "train_data_pattern": "a*",
         "label_loss": "CrossEntropyLoss", "max_frames": 300, "log_steps": 10,
         "feature_names": "rgb", "vocabulary": "1f2e", "shuffle_buffer": None,
         "precision": "float32"}


def record_files(directory, **sizes):
  directory.mkdir(exist_ok=True)
  for name, size in sizes.items():
    (directory / name).write_bytes(bytes(size))
  return sorted(str(directory / name) for name in sizes)


@pytest.fixture
def saved(tmp_path, caplog):
  absl_logging.use_python_logging()
  caplog.set_level(logging.WARNING, "absl")
  train_dir = tmp_path / "model"
  train_dir.mkdir()
  saver = saving.Saver(tf.train.Checkpoint(x=tf.Variable(1)), str(train_dir), 5)
  files = record_files(tmp_path / "records", a=10, b=20, c=30)
  saver.save(7, resume.describe(FLAGS, files, 1))
  return train_dir


def find(saved, mode="exact", pipelines=1, sizes=None, folder="records", **changes):
  files = record_files(saved.parent / folder, **(sizes or {"a": 10, "b": 20, "c": 30}))
  now = resume.describe({**FLAGS, **changes}, files, pipelines)
  return resume.find(str(saved), None, now, mode, True)


def test_the_same_run_and_moved_records_go_on_in_silence(saved, caplog):
  for options in ({}, {"folder": "moved", "train_data_pattern": "b*", "log_steps": 1}):
    assert find(saved, **options) == f"{saved}/model.ckpt-7"
  assert not caplog.text


@pytest.mark.parametrize("epoch_step", [0, 3])
def test_another_order_matters_only_within_an_epoch(tmp_path, epoch_step):
  saver = saving.Saver(tf.train.Checkpoint(
      epoch_step=tf.Variable(epoch_step, dtype=tf.int64)), str(tmp_path), 5)
  now = resume.describe(FLAGS, record_files(tmp_path / "records", a=10), 1)
  saver.save(7, {key: now[key] for key in now if key != "order"})  # as older versions
  arguments = str(tmp_path), None, {**now, "order": "windows"}
  if epoch_step:
    with pytest.raises(ValueError, match="shuffled in a buffer and are shuffled in "
                       "windows, and the checkpoint is in the middle of an epoch"):
      resume.find(*arguments, "exact", True)
  assert resume.find(*arguments, "approximate" if epoch_step else "exact", True)


def test_what_changed_is_listed_in_one_message(saved, caplog):
  find(saved, batch_size=8, label_loss="HingeLoss", max_frames=100,
       vocabulary="3d4c")
  [record] = caplog.records
  assert record.getMessage() == (
      f"Changed since {saved}/model.ckpt-7: --batch_size was 4 and is 8; --label_loss "
      "was CrossEntropyLoss and is HingeLoss; --max_frames was 300 and is 100; "
      "--vocabulary was 1f2e and is 3d4c.")


@pytest.mark.parametrize("changes, message", [
    ({"seed": 1}, "--seed was 0 and is 1"),
    ({"shuffle_buffer": 9}, "--shuffle_buffer was None and is 9"),
    ({"num_readers": 1}, "--num_readers was 8 and is 1"),
    ({"precision": "mixed_float16"}, "--precision was float32 and is mixed_float16"),
    ({"pipelines": 2}, "the number of workers was 1 and is 2"),
    ({"sizes": {"a": 10, "b": 20}}, r"1 record files are missing \(c\)"),
    ({"sizes": {"a": 10, "b": 9, "c": 30, "d": 1}},
     r"1 record files are new \(d\); 1 record files have another size \(b\)")])
def test_what_cannot_go_on_exactly_needs_the_flag(saved, changes, message, caplog):
  with pytest.raises(ValueError, match=rf"not go on exactly from .*-7: {message}\. Undo "
                     "that, or add --resume=approximate"):
    find(saved, **changes)
  assert find(saved, "approximate", **changes) == f"{saved}/model.ckpt-7"
  assert re.search(rf"{message}\. Training goes on approximately", caplog.text)


def test_training_goes_on_only_in_its_own_directory(saved, tmp_path):
  other = tmp_path / "other"
  other.mkdir()
  now = resume.describe(FLAGS, record_files(tmp_path / "records", a=10), 1)
  assert resume.find(str(other), None, now, "exact", True) is None
  with pytest.raises(ValueError, match="is not in --train_dir="):
    resume.find(str(other), f"{saved}/model.ckpt-7", now, "exact", True)


def test_a_checkpoint_of_another_model_is_named(tmp_path):
  loop_test.make_training(tmp_path, max_steps=1)[1].run()
  arguments = {"aggregation": "lstm", "max_steps": 2}
  with pytest.raises(ValueError, match=f"Checkpoint {tmp_path}/model.ckpt-1 does not fit "
                     "this model and optimizer: choose another --train_dir"):
    loop_test.make_training(tmp_path, **arguments)[1].run()
  assert loop_test.make_training(tmp_path / "new", **arguments)[1].run().step == 2


@pytest.fixture(scope="module")
def records(tmp_path_factory):
  path = tmp_path_factory.mktemp("records") / "train.tfrecord"
  rng = np.random.default_rng(0)
  with tf.io.TFRecordWriter(str(path)) as writer:
    for number in range(12):
      writer.write(tfrecords.video_example(
          f"v{number}", [number % 5], {"mean_rgb": rng.normal(size=4)}
          ).SerializeToString())
  return path


def train(records, train_dir, *flags, status=0):
  process = support.run_command(
      "yt8m.train", f"--train_dir={train_dir}", "--feature_sizes=4", "--num_classes=5",
      f"--train_data_pattern={records}", "--batch_size=4", "--export_model_steps=1",
      *flags, check=False)
  assert process.returncode == status, process.stderr
  assert "Traceback" not in process.stderr
  return process.stderr


@pytest.mark.long
def test_the_command(records, tmp_path):
  """Damaged checkpoints, a lost list, another precision, and a lock, end to end."""
  model = tmp_path / "model [lr=0.01]"
  assert "Finished at step 3" in train(records, model, "--num_epochs=1")
  assert "--resume=approximate" in train(
      records, model, "--num_epochs=2", "--precision=mixed_float16", status=1)
  data = model / "model.ckpt-3.data-00000-of-00001"
  content = bytearray(data.read_bytes())
  content[500] ^= 1
  data.write_bytes(content)
  (model / "checkpoint").unlink()
  for module, flags in (
      ("yt8m.eval.evaluate", ["--run_once", f"--eval_data_pattern={records}",
                              "--top_k=2"]),
      ("yt8m.export.inference", [
          f"--input_data_pattern={records}", f"--output_file={tmp_path}/out.csv",
          f"--output_model_tgz={tmp_path}/model.tgz", "--top_k=2"]),
      ("yt8m.export.export_model", [f"--output_dir={tmp_path}/saved", "--top_k=2"])):
    output = support.run_command(module, f"--train_dir={model}", *flags).stderr
    assert "found by their names" in output, module
    assert re.search(r"Damaged: .*ckpt-3.*other bytes.*Using .*ckpt-2 instead", output)
    output = support.run_command(
        module, f"--train_dir={model}", "--checkpoint=3", *flags, check=False)
    assert output.returncode == 1 and "Traceback" not in output.stderr
    assert "--checkpoint=3 is damaged" in output.stderr
  support.run_command(
      "yt8m.export.inference", f"--input_model_tgz={tmp_path}/model.tgz", "--top_k=2",
      f"--input_data_pattern={records}", f"--output_file={tmp_path}/again.csv")
  assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
  messages = train(records, model, "--num_epochs=1")
  assert "Using" in messages and "ckpt-2: step 2, epoch 0, example 8" in messages
  assert checkpoints.latest(str(model)) == f"{model}/model.ckpt-3"
  with locks.hold(model, "trains"):
    for flags in (["--num_epochs=2"], ["--start_new_model"]):
      assert "is in use: process" in train(records, model, *flags, status=1)
  assert checkpoints.latest(str(model)) == f"{model}/model.ckpt-3"
  assert "give one of them" in train(
      records, model, "--start_new_model", "--checkpoint=2", status=1)
  assert "Resuming from" in (messages := train(records, model, "--checkpoint=1"))
  assert "ckpt-1: step 1" in messages and not (model / locks.FILE).exists()
