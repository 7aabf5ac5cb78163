# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Averages of weights: compared with numpy, after resuming, and in evaluation."""


import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.data import readers
from yt8m.models import losses
from yt8m.synthetic import writer
from yt8m.training import loop
from yt8m.training import optimizers
from yt8m.training import step as train_step
from yt8m.training import weight_averaging

keras = tf.keras

STEPS, BATCH, MOMENTUM = 15, 4, 0.7
SPEC = feature_spec.FeatureSpec(("x",), (6,), "frame")
STARTS = {"ema": {}, "ema later": {"start_step": 6},
          "swa": {"start_step": 4, "swa_steps": 3}}


def make_dataset(epoch, skip_examples, context):
  rng = np.random.default_rng(epoch)
  examples = {
      "features": {"x": rng.integers(0, 256, (20, 9, 6), np.uint8)},
      "num_frames": rng.integers(1, 10, 20).astype(np.int32),
      "labels": rng.random((20, 5)) < 0.4}
  return tf.data.Dataset.from_tensor_slices(examples).skip(skip_examples).batch(BATCH)


def make_model():
  """A model with batch normalisation and with a counter among its weights."""
  keras.utils.set_random_seed(0)
  return models.VideoModel(
      5, SPEC, sampling={"num_frames": 4}, aggregation={
          "name": "dbof", "clusters": 7, "units": 4}).build_variables()


def make_training(train_dir, case="none", max_steps=STEPS, jit_compile=False):
  kind = case.split()[0]
  model = make_model()
  strategy = tf.distribute.get_strategy()
  optimizer = optimizers.make_optimizer("AdamOptimizer", 0.05)
  step = train_step.TrainStep(model, losses.CrossEntropyLoss(), optimizer, strategy,
                              jit_compile=jit_compile)
  averages = weight_averaging.make(
      kind, model, strategy, momentum=MOMENTUM, **STARTS.get(case, {}))
  return model, loop.Training(
      str(train_dir), step, make_dataset,
      loop.Schedule(BATCH, num_epochs=3, max_steps=max_steps, checkpoint_steps=1,
                        log_steps=100, keep_checkpoints=STEPS), averages)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
  """Training directories of complete runs, one for each case."""
  directories = {}

  def run(case):
    if case not in directories:
      directories[case] = tmp_path_factory.mktemp("run")
      make_training(directories[case], case)[1].run()
    return directories[case]

  return run


@pytest.fixture(scope="module")
def restored():
  """Loads the weights of a checkpoint into a model and returns copies."""
  model = make_model()

  def load(train_dir, step, averaged=True):
    checkpoints.restore_weights(model, str(train_dir / f"model.ckpt-{step}"), averaged)
    return [np.asarray(w) for w in model.weights]

  return load


def is_averaged(case, weight):
  return tf.as_dtype(weight.dtype).is_floating if case == "swa" else weight.trainable


def numpy_average(case, weights, step, start):
  """Numpy twin: the average of a weight after `step`; `weights` has all its values."""
  if step < start:
    return weights[step]
  if case == "swa":
    return np.mean([weights[s] for s in range(start, step + 1, 3)], axis=0)
  average = weights[start]
  for s in range(start + 1, step + 1):
    average = MOMENTUM * average + (1 - MOMENTUM) * weights[s]
  return average


def check_averages(case, train_dir, restored, steps, start=None):
  """Compares averages after `steps` with numpy averages of the same run's weights."""
  start = start or STARTS[case].get("start_step", 1)
  weights = {step: restored(train_dir, step, averaged=False)
             for step in range(start, max(steps) + 1)}
  weights.update({step: restored(train_dir, step, averaged=False) for step in steps})
  kinds = {True: 0, False: 0}
  for step in steps:
    for index, weight in enumerate(make_model().weights):
      averaged = is_averaged(case, weight)
      kinds[averaged] += 1
      found = restored(train_dir, step)[index]
      if averaged:
        np.testing.assert_allclose(
            found, numpy_average(case, {s: w[index] for s, w in weights.items()}, step,
                                 start), atol=1e-6, err_msg=f"{weight.name}, {step}")
      else:
        np.testing.assert_array_equal(found, weights[step][index])
  assert min(kinds.values()) >= len(steps)


@pytest.mark.parametrize("case", STARTS)
def test_averages_equal_numpy(case, finished, restored):
  check_averages(case, finished(case), restored, (1, 4, 8, STEPS))


def tensors(train_dir, step=STEPS):
  reader = tf.train.load_checkpoint(str(train_dir / f"model.ckpt-{step}"))
  return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
          if name != "_CHECKPOINTABLE_OBJECT_GRAPH" and "save_counter" not in name}


@pytest.mark.parametrize("case, stop", [("ema", 2), ("ema later", 5), ("swa", 6),
                                        ("swa", 7)])
def test_stopped_and_resumed_equals_run_through(case, stop, finished, tmp_path):
  make_training(tmp_path, case, max_steps=stop)[1].run()
  assert make_training(tmp_path, case)[1].run().step == STEPS
  straight, resumed = tensors(finished(case)), tensors(tmp_path)
  assert straight.keys() == resumed.keys()
  for name, value in straight.items():
    np.testing.assert_array_equal(value, resumed[name], err_msg=name)


@pytest.mark.parametrize("case", STARTS)
def test_training_and_what_else_a_checkpoint_holds_stay_the_same(case, finished):
  none, averaged = tensors(finished("none")), tensors(finished(case))
  for name, value in none.items():
    np.testing.assert_array_equal(averaged[name], value, err_msg=name)
  assert not [name for name in none if "averaged" in name]
  assert {name.split("/")[0] for name in averaged.keys() - none.keys()} == {
      "weights_averaged", "num_averaged"}


@pytest.mark.parametrize("case, start", [("ema", 8), ("swa", 10)])
def test_averaging_may_begin_in_a_run_that_exists_and_end(
    case, start, finished, restored, tmp_path):
  make_training(tmp_path, max_steps=7)[1].run()
  make_training(tmp_path, case, max_steps=11)[1].run()
  check_averages(case, tmp_path, restored, (7, 11), start)
  make_training(tmp_path)[1].run()
  for one, other in zip(restored(finished("none"), STEPS), restored(tmp_path, STEPS),
                        strict=True):
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("case", ["ema", "swa"])
def test_averages_of_what_xla_compiled(case, restored, tmp_path):
  make_training(tmp_path, case, max_steps=8, jit_compile=True)[1].run()
  check_averages(case, tmp_path, restored, (8,))


def test_wrong_numbers_are_refused(tmp_path):
  model, strategy = make_model(), tf.distribute.get_strategy()
  with pytest.raises(ValueError, match="swa needs --averaging_start_step"):
    weight_averaging.make("swa", model, strategy)
  with pytest.raises(ValueError, match="--averaging_start_step=0 must"):
    weight_averaging.make("swa", model, strategy, 0)
  with pytest.raises(ValueError, match="--swa_steps=0 must"):
    weight_averaging.make("swa", model, strategy, 1, swa_steps=0)
  assert weight_averaging.make("none", model, strategy) is None


@pytest.mark.long
def test_two_replicas_and_half_precision_keep_the_same_averages():
  differences = support.run_script("two_replicas_averaging.py")
  assert len(differences) == 4
  for case, difference in differences.items():
    assert difference < (1e-3 if "float16" in case else 1e-5), case


@pytest.mark.parametrize("flags", [
    ("--weight_averaging=ema", "--ema_momentum=0.8"),
    ("--weight_averaging=swa", "--averaging_start_step=4", "--swa_steps=2")],
    ids=["ema", "swa"])
def test_commands_take_the_averages(flags, tmp_path):
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=2), str(tmp_path / "sample"))
  pattern = f"{tmp_path}/sample/video/train*.tfrecord"
  support.run_command(
      "yt8m.train", f"--train_data_pattern={pattern}", "--batch_size=8", "--max_steps=9",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8", "--num_classes=13",
      f"--train_dir={tmp_path / 'model'}", "--base_learning_rate=0.1", *flags)
  support.run_command(
      "yt8m.export.inference", f"--train_dir={tmp_path / 'model'}", "--top_k=13",
      f"--input_data_pattern={pattern}", f"--output_file={tmp_path / 'scores.csv'}")
  written = {}
  for line in (tmp_path / "scores.csv").read_text().splitlines()[1:]:
    video, pairs = line.split(",")
    numbers = np.array(pairs.split(), np.float64)
    written[video] = numbers[1::2][np.argsort(numbers[::2])]

  def scores(averaged):
    trained, model, _ = experiment.load(str(tmp_path / "model"), averaged=averaged)
    reader = readers.make_reader(trained.feature_spec, 13, 12)
    return {video.decode(): row for batch in reader.dataset(pattern, 60)
            for video, row in zip(batch["id"].numpy(),
                                  model(batch)["predictions"].numpy(), strict=True)}

  for averaged in (True, False):
    found = scores(averaged)
    assert found.keys() == written.keys()
    furthest = max(np.abs(found[video] - written[video]).max() for video in found)
    assert (furthest < 1e-5) == averaged
