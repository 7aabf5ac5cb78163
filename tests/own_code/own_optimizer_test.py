# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""An optimizer of the user's own, from training to export."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import own_code
from tests.helpers import support
from yt8m.configs import checkpoints

FAULTY = """
import tensorflow as tf
from my_optimizers import SignMomentum
class OwnRate(SignMomentum):
  def __init__(self, learning_rate=0.001, **kwargs):
    super().__init__(learning_rate=0.001, **kwargs)
class NoRate(SignMomentum):
  def __init__(self):
    super().__init__()
class NoStep(tf.keras.optimizers.Optimizer):
  pass
class Hidden(SignMomentum):
  def build(self, variables):
    super().build(variables)
    self.seen = [tf.Variable(0.0)]
class Late(SignMomentum):
  late = None
  def update_step(self, gradient, variable, learning_rate):
    if self.late is None:
      self.late = self.add_variable((), name="late")
    super().update_step(gradient, variable, learning_rate)
INSTANCE = SignMomentum()
"""
TWO_REPLICAS = """
import sys
import tensorflow as tf
from yt8m import models
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.models import losses
from yt8m.training import optimizers
from yt8m.training import step
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
features = tf.random.stateless_normal((8, 6), [1, 2])
labels = tf.random.stateless_uniform((8, 5), [3, 4]) < 0.3
def weights(strategy):
  with strategy.scope():
    tf.keras.utils.set_random_seed(0)
    spec = feature_spec.FeatureSpec(("x",), (6,), "video")
    model = models.VideoModel(5, spec).build_variables()
    with registry.allow_code(["my_optimizers"]):
      optimizer = optimizers.make_optimizer(
          "my_optimizers:SignMomentum", optimizers.StaircaseDecay(0.1, 0.5, 8, 8),
          {"beta": 0.8})
  train = step.TrainStep(model, losses.CrossEntropyLoss(), optimizer, strategy,
                         clip_gradient_norm=0.01)
  replicas = strategy.num_replicas_in_sync
  def batch(context):
    rows = slice(context.replica_id_in_sync_group, None, replicas)
    return {"features": {"x": features[rows]}, "labels": labels[rows],
            "num_frames": tf.ones(8 // replicas, tf.int32)}
  for _ in range(3):
    train(strategy.experimental_distribute_values_from_function(batch)
          if replicas > 1 else batch(tf.distribute.get_replica_context()))
  return model.get_weights()
one = weights(tf.distribute.get_strategy())
two = weights(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
print(max(abs(a - b).max() for a, b in zip(one, two)), abs(one[0]).max())
"""


@pytest.fixture
def example(tmp_path, monkeypatch):
  return own_code.Example("Optimizer", tmp_path, monkeypatch)


def variables(train_dir):
  reader = tf.train.load_checkpoint(checkpoints.find(str(train_dir), "latest"))
  return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
          if name != "_CHECKPOINTABLE_OBJECT_GRAPH"}


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_the_example_of_the_page(example, precision):
  train, evaluate, export = example.commands()
  flags = [f"--precision={precision}", "--base_learning_rate=0.05",
           "--learning_rate_decay_examples=32", "--learning_rate_decay=0.5"]
  folder = example.folder
  for steps in (2, 6):  # killed in the middle of an epoch, so to speak
    example.run(train, *flags, f"--max_steps={steps}")
  example.run([word.replace("=model", "=once") for word in train], *flags,
              "--max_steps=6")
  resumed, once = variables(folder / "model"), variables(folder / "once")
  assert resumed.keys() == once.keys()
  assert sum(name.startswith("optimizer/") for name in once) >= 3
  for name in set(once) - {"save_counter/.ATTRIBUTES/VARIABLE_VALUE"}:
    np.testing.assert_array_equal(resumed[name], once[name], name)
  if precision == "float32":
    example.run(evaluate)
    example.run(export)
    config = json.loads((folder / "model" / "config.json").read_text())
    assert config["flags"]["optimizer"] == "my_optimizers:SignMomentum"
    changed = example.run([word.replace("=0.8", "=0.7") for word in train], *flags,
                          "--max_steps=7")
    assert "--set=optimizer.beta was 0.8 and is 0.7" in changed.stderr


def test_two_replicas_equal_one(example):
  process = subprocess.run(
      [sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True,
      cwd=support.ROOT, env={**support.ENVIRONMENT, **example.environment})
  assert process.returncode == 0, process.stderr
  difference, largest = map(float, process.stdout.split()[-2:])
  assert difference < 1e-6 < largest


@pytest.mark.long
def test_classes_of_keras(example):
  for name, setting in (("keras.optimizers:Lamb", "beta_1=0.7"),
                        ("AdamOptimizer", "beta_1=0.7"), ("SGD", "nesterov=true")):
    example.run(["yt8m-train", f"--train_dir={name[-4:]}"], "--max_steps=1",
                f"--optimizer={name}", f"--set=optimizer.{setting}")


@pytest.mark.parametrize("name, message", [
    ("OwnRate", "does not use the learning rate that it is given: pass"),
    ("NoRate", "Its constructor must take learning_rate."),
    ("NoStep", "has no update_step(gradient, variable, learning_rate)"),
    ("Hidden", "Hidden cannot be resumed from a checkpoint: its seen is not among"),
    ("Late", "Late cannot be resumed from a checkpoint: it makes variables in its first"),
    ("INSTANCE", "is an object: name its class"),
    ("SignMomentum --set=optimizer.bet=0.9", "has no hyperparameter bet. Valid: beta"),
    ("SignMomentum --set=optimizer.clipnorm=1", "has no hyperparameter clipnorm."),
    ("SignMomentum --set=optimizer.beta=x", "beta is 'x', but must be of type float"),
])
def test_what_training_needs_is_checked(example, name, message):
  (example.folder / "faulty.py").write_text(FAULTY)
  name, *flags = name.split()
  failed = example.run(["yt8m-train", "--train_dir=model"], "--max_steps=1",
                       f"--optimizer=faulty:{name}", *flags, "--allow_code=faulty,"
                       "my_optimizers", check=False)
  assert failed.returncode == 1 and message in failed.stderr, failed.stderr
  assert "Traceback" not in failed.stderr


def test_a_name_from_a_file_is_not_imported(example):
  (example.folder / "flags").write_text("--optimizer=my_optimizers:SignMomentum\n")
  failed = example.run(["yt8m-train", "--train_dir=model"], "--max_steps=1",
                       f"--flagfile={example.folder}/flags", check=False)
  assert failed.returncode == 1 and "add --allow_code=my_optimizers" in failed.stderr
