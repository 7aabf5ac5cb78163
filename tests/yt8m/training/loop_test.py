# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The training loop: exact resuming, limits, signals, and losses that are NaN."""

import errno
import os
import signal

import numpy as np
import pytest
import tensorflow as tf
from absl import logging as absl_logging

from tests.helpers import full_disk
from yt8m import models
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.models import losses
from yt8m.training import loop as training
from yt8m.training import optimizers
from yt8m.training import saving
from yt8m.training import step as train_step

keras = tf.keras

EXAMPLES, BATCH = 22, 4
SPEC = feature_spec.FeatureSpec(("x",), (6,), "frame")


def make_dataset(epoch, skip_examples, context):
  rng = np.random.default_rng(epoch)
  examples = {
      "features": {"x": rng.integers(0, 256, (EXAMPLES, 9, 6), np.uint8)},
      "num_frames": rng.integers(1, 10, EXAMPLES).astype(np.int32),
      "labels": rng.random((EXAMPLES, 5)) < 0.4}
  return tf.data.Dataset.from_tensor_slices(examples).skip(skip_examples).batch(BATCH)


def make_training(train_dir, dataset=make_dataset, learning_rate=0.05,
                  aggregation="mean", **schedule):
  """A model with both kinds of randomness: frame sampling and dropout."""
  keras.utils.set_random_seed(0)
  model = models.VideoModel(
      5, SPEC, sampling={"num_frames": 4}, aggregation=aggregation,
      classifier={"name": "hidden", "units": 7, "dropout": 0.5,
                  "input_dropout": 0.2}).build_variables()
  optimizer = optimizers.make_optimizer("AdamOptimizer", learning_rate)
  strategy = tf.distribute.get_strategy()
  step = train_step.TrainStep(model, losses.CrossEntropyLoss(), optimizer, strategy)
  options = dict(batch_size=BATCH, num_epochs=3, checkpoint_steps=5, log_steps=2)
  return model, training.Training(
      str(train_dir), step, dataset,
      training.Schedule(**{**options, **schedule}))


def weights(model):
  return [np.asarray(w) for w in model.weights]


def test_position_counts_every_example_of_every_epoch(tmp_path):
  _, loop = make_training(tmp_path)
  position = loop.run()
  assert position == training.Position(step=18, epoch=3, epoch_step=0)
  assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-18")


def test_checkpoints_in_an_object_store(straight_weights):
  """In memory of TensorFlow, which has no links, locks or syncs, as object stores."""
  train_dir = "ram://loop_test/model"
  tf.io.gfile.makedirs(train_dir)
  _, loop = make_training(train_dir, max_steps=8, aggregation=MANY_CLUSTERS)
  loop.run()
  # Killed before the list is written, and then a damaged newest checkpoint.
  tf.io.gfile.remove(f"{train_dir}/checkpoint")
  assert checkpoints.latest(train_dir) == f"{train_dir}/model.ckpt-8"
  [data] = tf.io.gfile.glob(f"{train_dir}/model.ckpt-8.data*")
  with tf.io.gfile.GFile(data, "wb") as file:
    file.write(b"damaged")
  assert checkpoints.latest(train_dir) == f"{train_dir}/model.ckpt-5"
  resumed, loop = make_training(train_dir, aggregation=MANY_CLUSTERS)
  assert loop.run() == training.Position(18, 3, 0)
  for one, other in zip(straight_weights, weights(resumed), strict=True):
    np.testing.assert_array_equal(one, other)
  assert checkpoints.latest(train_dir) == f"{train_dir}/model.ckpt-18"
  assert not [name for name in tf.io.gfile.listdir(train_dir) if "tmp" in name]


MANY_CLUSTERS = {"name": "dbof", "clusters": 512, "units": 8}


@pytest.fixture(scope="module")
def straight_weights(tmp_path_factory):
  """Weights after a run that was never stopped."""
  model, loop = make_training(
      tmp_path_factory.mktemp("straight"), aggregation=MANY_CLUSTERS)
  loop.run()
  return weights(model)


# The batch after step 5 is the last of an epoch and smaller: of the two graphs of the
# step, a run that goes on there makes the other one first.
@pytest.mark.parametrize("stop", [1, 5, 6, 8, 13])
def test_stopped_and_resumed_equals_run_through(tmp_path, stop, straight_weights):
  _, loop = make_training(tmp_path, max_steps=stop, aggregation=MANY_CLUSTERS)
  assert loop.run().step == stop
  resumed, loop = make_training(tmp_path, aggregation=MANY_CLUSTERS)
  assert loop.run().step == 18
  for one, other in zip(straight_weights, weights(resumed), strict=True):
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("checkpoint_steps", [5, 6])  # the last step is one of them
def test_a_finished_run_changes_nothing_when_started_again(tmp_path, checkpoint_steps):
  first, loop = make_training(tmp_path, checkpoint_steps=checkpoint_steps)
  loop.run()
  files = sorted(os.listdir(tmp_path))

  def unread(*arguments):
    raise AssertionError("A finished run reads no records.")

  again, loop = make_training(tmp_path, unread, checkpoint_steps=checkpoint_steps)
  assert loop.run() == training.Position(18, 3, 0)
  assert [f for f in sorted(os.listdir(tmp_path)) if f != "train"] == [
      f for f in files if f != "train"]
  for one, other in zip(weights(first), weights(again), strict=True):
    np.testing.assert_array_equal(one, other)


def test_the_last_steps_are_saved(tmp_path):
  """After 100 steps the starter code had the checkpoint of step 10."""
  model, loop = make_training(tmp_path, max_steps=7, checkpoint_steps=1000)
  loop.run()
  other, _ = make_training(tmp_path / "other")
  checkpoints.restore_weights(other, tf.train.latest_checkpoint(str(tmp_path)))
  for one, two in zip(weights(model), weights(other), strict=True):
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_finishes_the_step_and_saves(tmp_path, number, request):
  previous = signal.signal(number, signal.default_int_handler)  # nohup ignores SIGHUP
  request.addfinalizer(lambda: signal.signal(number, previous))

  def dataset(epoch, skip_examples, context):
    def send(batch):
      os.kill(os.getpid(), number)
      return batch
    for index, batch in enumerate(make_dataset(epoch, skip_examples, context)):
      yield send(batch) if index == 2 else batch

  model, loop = make_training(tmp_path)
  loop._strategy = _Direct(dataset)
  position = loop.run()
  assert position.step == 3 and loop.stopped_by == number
  assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-3")
  assert experiment.is_finished(str(tmp_path)) is False


class _Direct:
  """The default strategy, but with batches from a Python generator."""

  def __init__(self, dataset):
    self._dataset = dataset

  def distribute_datasets_from_function(self, function):
    return self._dataset(0, 0, None)

  def __getattr__(self, name):
    return getattr(tf.distribute.get_strategy(), name)


def test_a_finished_run_leaves_a_mark_and_more_epochs_update_it(tmp_path, caplog):
  absl_logging.use_python_logging()
  directory = str(tmp_path)
  assert experiment.is_finished(directory) is None  # as an older version wrote it
  _, loop = make_training(tmp_path)
  loop.run()
  assert experiment.is_finished(directory) and loop.stopped_by is None
  path = tf.train.latest_checkpoint(directory)
  experiment.warn_if_unfinished(directory, path)
  assert "not finished" not in caplog.text

  def failing(epoch, skip_examples, context):
    raise ValueError("no more records")

  with pytest.raises(ValueError, match="no more records"):
    make_training(tmp_path, failing, num_epochs=5, epoch_examples=EXAMPLES)[1].run()
  assert experiment.is_finished(directory) is False
  experiment.warn_if_unfinished(directory, path)
  assert "has not finished: step 18 of 30." in caplog.text
  make_training(tmp_path, num_epochs=5)[1].run()
  assert experiment.is_finished(directory)


@pytest.mark.parametrize("checkpoint_steps", [5, 6, 18])
def test_no_save_writes_over_a_listed_checkpoint(tmp_path, monkeypatch, checkpoint_steps):
  """If it were interrupted while overwriting, the directory would be lost."""
  save = saving.Saver.save

  def save_elsewhere(saver, step, described):
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert not state or f"{tmp_path}/model.ckpt-{step}" not in (
        state.all_model_checkpoint_paths)
    return save(saver, step, described)

  monkeypatch.setattr(saving.Saver, "save", save_elsewhere)
  make_training(tmp_path, checkpoint_steps=checkpoint_steps)[1].run()
  assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-18")
  assert make_training(tmp_path, num_epochs=4)[1].run().step == 24


def test_a_nan_loss_stops_with_step_and_rate_and_is_never_saved(tmp_path):
  def poisoned(epoch, skip_examples, context):
    def poison(index, batch):
      bad = tf.where(index == 3, np.nan, 0.0)
      return {**batch, "label_weights": tf.ones_like(
          tf.cast(batch["labels"], tf.float32)) + tf.cast(bad, tf.float32)}
    return make_dataset(epoch, skip_examples, context).enumerate().map(poison)

  _, loop = make_training(tmp_path, poisoned, learning_rate=0.03, checkpoint_steps=2,
                          log_steps=100)
  with pytest.raises(FloatingPointError,
                     match=r"nan at step 4, learning rate 0.03.*--base_learning_rate"):
    loop.run()
  assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-2")


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
  """The loss of the last step is that before its update."""
  model, loop = make_training(tmp_path, max_steps=3)

  def update(batch):
    result = trained(batch)
    if loop.position.step == 2:
      weight = model.trainable_variables[0]
      weight.assign(tf.fill(weight.shape, np.inf))
    return result

  trained, loop._step = loop._step, _Recording(loop._step, update)
  with pytest.raises(FloatingPointError, match=(
      r"is not finite after step 3.*No checkpoint was saved")):
    loop.run()
  assert not checkpoints.exist(str(tmp_path))


def test_a_full_disk_is_survived_until_there_is_room(tmp_path, caplog, monkeypatch):
  """What fails is saved at the next checkpoint; at the end it is an error."""
  absl_logging.use_python_logging()
  save, full = checkpoint_files.Manifest.save, {5, 10}

  def fail(manifest, path):
    if checkpoints.step_of(path) in full:
      raise OSError(errno.ENOSPC, "No space left on device", path)
    save(manifest, path)

  monkeypatch.setattr(checkpoint_files.Manifest, "save", fail)
  _, loop = make_training(tmp_path, max_steps=15)
  assert loop.run().step == 15
  assert caplog.text.count("cannot be saved: No space left on device. Training goes") == 2
  assert {path.name for path in tmp_path.iterdir() if ".ckpt" in path.name} == {
      f"model.ckpt-15.{end}" for end in ("data-00000-of-00001", "index", "json")}
  assert not (tmp_path / ".saving").exists()
  full = {18}
  with pytest.raises(OSError, match=r"model.ckpt-18 cannot be saved: No space left on "
                     r"device\. Make room .* goes on from step 15\.$"):
    make_training(tmp_path)[1].run()
  assert experiment.is_finished(str(tmp_path)) is False
  full = {}
  assert make_training(tmp_path)[1].run().step == 18


def test_training_goes_on_without_scalars(tmp_path, caplog):
  absl_logging.use_python_logging()
  (tmp_path / "file").mkdir()
  (tmp_path / "file" / "train").touch()  # where the folder of the scalars should be
  for name, after in (("full", 7000), ("file", -1)):
    with full_disk.full_disk(after):  # Checkpoints take less, the events more.
      _, loop = make_training(tmp_path / name, log_steps=1)
      assert loop.run().step == 18
    assert checkpoint_files.damage(f"{tmp_path}/{name}/model.ckpt-18") is None
  assert "scalars for TensorBoard are not written: File too large." in caplog.text


def test_fewer_examples_than_a_batch(tmp_path):
  """As on a TPU, where every batch has the same shape."""
  def full_batches(size):
    return lambda *args: make_dataset(*args).unbatch().batch(size, drop_remainder=True)

  with pytest.raises(ValueError, match=f"No batch of {EXAMPLES + 1} examples .*: lower "
                     "--batch_size or check --train_data_pattern"):
    make_training(tmp_path, full_batches(EXAMPLES + 1), batch_size=EXAMPLES + 1)[1].run()
  _, loop = make_training(tmp_path, full_batches(EXAMPLES), batch_size=EXAMPLES)
  assert loop.run().step == 3


@pytest.mark.parametrize("first, second", [(4, 10), (10, 4)])
def test_another_batch_size_neither_leaves_out_nor_repeats_examples(
    tmp_path, first, second):
  seen = []

  def dataset(batch_size):
    def make(epoch, skip_examples, context):
      numbers = tf.data.Dataset.range(EXAMPLES).skip(skip_examples)
      data = make_dataset(epoch, skip_examples, context).unbatch()
      return tf.data.Dataset.zip(data, numbers).batch(batch_size)
    return make

  def train(batch_size, **schedule):
    _, loop = make_training(tmp_path, dataset(batch_size), batch_size=batch_size,
                            num_epochs=1, **schedule)
    step = loop._step.__call__

    def record(batch):
      seen.extend(batch[1].numpy().tolist())
      return step(batch[0])

    loop._step = _Recording(loop._step, record)
    return loop.run()

  assert train(first, max_steps=1).epoch_examples == first
  assert train(second).epoch == 1
  assert seen == list(range(EXAMPLES))


class _Recording:
  """A step with another call."""

  def __init__(self, step, call):
    self._step, self._call = step, call

  def __call__(self, batch):
    return self._call(batch)

  def __getattr__(self, name):
    return getattr(self._step, name)


def test_a_checkpoint_that_counts_steps_is_resumed_by_its_own_batch_size(tmp_path):
  """Older versions saved no number of examples."""
  _, loop = make_training(tmp_path, max_steps=2)
  del loop._parts["epoch_examples"], loop._saved_position["epoch_examples"]
  del loop._checkpoint.epoch_examples
  loop.run()
  path = checkpoints.latest(str(tmp_path))
  assert not checkpoints.has_variable(path, "epoch_examples")
  os.remove(f"{path}.json")
  checkpoint_files.adopt(path, {"flags": {"batch_size": BATCH}})
  _, loop = make_training(tmp_path, batch_size=11)
  loop._restore()
  assert loop.position == training.Position(2, 0, 2, 2 * BATCH)


def test_no_batch_at_all_is_an_error(tmp_path):
  def empty(*arguments):
    return make_dataset(*arguments).take(0)

  _, loop = make_training(tmp_path, empty)
  with pytest.raises(ValueError, match="--batch_size"):
    loop.run()


def test_tensorboard_scalars_are_written(tmp_path):
  _, loop = make_training(tmp_path)
  loop.run()
  [events] = [os.path.join(tmp_path, "train", f)
              for f in os.listdir(tmp_path / "train")]
  tags = {value.tag for event in tf.compat.v1.train.summary_iterator(events)
          for value in event.summary.value}
  assert {"avg_loss", "gap", "avg_hit_at_one", "learning_rate",
          "examples_per_second"} <= tags
