# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train --initialize_from`, `--freeze` and the multiplier, as commands."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import vocabulary
from yt8m.synthetic import writer
from yt8m.training import variable_paths

STEPS = 8


@pytest.fixture(scope="module")
def records(tmp_path_factory):
  directory = tmp_path_factory.mktemp("fine_tuning") / "sample"
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=3), str(directory))
  names = vocabulary.Vocabulary.load(str(directory / "vocabulary.csv"), 13).names
  new = tuple(f"new {number}" for number in range(7))
  vocabulary.Vocabulary((*reversed(names[:8]), *new)).write(
      str(directory / "other.csv"))
  return directory


def command(records, train_dir, *flags, classes="vocabulary.csv"):
  return ["yt8m.train", f"--train_dir={train_dir}",
          f"--train_data_pattern={records}/frame/train*.tfrecord",
          f"--vocabulary={records}/{classes}", "--frame_features",
          "--feature_names=rgb,audio", "--feature_sizes=16,8", "--max_frames=12",
          "--model=DbofModel", "--dbof_cluster_size=24", "--dbof_hidden_size=8",
          "--iterations=4", "--batch_size=8", "--num_epochs=100", "--log_steps=1",
          "--export_model_steps=3", "--num_readers=2", "--shuffle_buffer=16", *flags]


@pytest.fixture(scope="module")
def source(records, tmp_path_factory):
  """A training with averaged weights."""
  directory = tmp_path_factory.mktemp("source") / "model"
  support.run_command(*command(
      records, directory, "--max_steps=6", "--weight_averaging=ema"))
  return directory


def flags(source):
  return [f"--initialize_from={source}", "--freeze=fusion,aggregation",
          "--pretrained_learning_rate_multiplier=0.1", "--weight_averaging=ema"]


def weights(train_dir, averaged=True):
  _, model, _ = experiment.load(str(train_dir), averaged=averaged)
  return {weight.path: tf.convert_to_tensor(weight.variable).numpy()
          for weight in variable_paths.of_model(model)}


def variables(train_dir):
  reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(train_dir)))
  return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
          if name.startswith(("weights", "optimizer/", "random_states/", "epoch"))}


def test_classes_by_name_frozen_parts_and_what_is_kept_of_it(records, source, tmp_path):
  process = support.run_command(*command(
      records, tmp_path / "model", *flags(source), "--max_steps=3",
      classes="other.csv"))
  assert "| aggregation | 14 | 0 | 0 |" in process.stderr, process.stderr
  assert "| classifier | 0 | 3 | 0 |" in process.stderr
  assert "New, as it counts steps: sampling/draws.\n" in process.stderr
  assert ("Classes: 8 of 15 have the name of one of the 13 of the other model; 7 are "
          "new.") in process.stderr
  assert "Frozen by --freeze=aggregation,fusion: 14 of 18 weights" in process.stderr
  before, after = weights(source), weights(tmp_path / "model", averaged=False)
  for path, value in after.items():
    if path.startswith("aggregation"):
      np.testing.assert_array_equal(value, before[path], err_msg=path)
    else:
      assert not np.array_equal(value, before[path]), path
  # Of the averages as well.
  averages = weights(tmp_path / "model")
  assert all(np.array_equal(averages[path], value) for path, value in after.items()
             if path.startswith("aggregation"))
  config = json.loads((tmp_path / "model" / "config.json").read_text())
  assert config["flags"]["freeze"] == "aggregation,fusion"
  assert config["flags"]["initialize_from"] == str(source)
  assert config["initialized_from"]["checkpoint"] == "model.ckpt-6"
  assert config["initialized_from"]["averaged"] is True
  assert re.fullmatch("[0-9a-f]{16}", config["initialized_from"]["digest"])

  # The other commands need nothing of the other model.
  moved = source.with_name("moved")
  source.rename(moved)
  try:
    support.run_command(
        "yt8m.eval.evaluate", f"--train_dir={tmp_path}/model", "--run_once",
        f"--eval_data_pattern={records}/frame/validate*.tfrecord")
    # Nor does a training that goes on; with other flags it does not.
    resumed = support.run_command(*command(
        records, tmp_path / "model", *flags(source), "--max_steps=4",
        classes="other.csv"))
    assert "Resuming from" in resumed.stderr and "Starts from" not in resumed.stderr
    again = json.loads((tmp_path / "model" / "config.json").read_text())
    assert again["initialized_from"] == config["initialized_from"]
    refused = support.run_command(*command(
        records, tmp_path / "model", *flags(source), "--max_steps=5", "--freeze=fusion",
        classes="other.csv"), check=False)
    assert refused.returncode == 1 and "--freeze was" in refused.stderr
  finally:
    moved.rename(source)


def test_values_of_known_classes_before_the_first_step(records, source, tmp_path):
  words = ["--max_steps=1", "--base_learning_rate=0"]
  support.run_command(*command(
      records, tmp_path / "model", f"--initialize_from={source}", *words,
      classes="other.csv"))
  support.run_command(*command(
      records, tmp_path / "fresh", *words, classes="other.csv"))
  before, after = weights(source), weights(tmp_path / "model")
  fresh = weights(tmp_path / "fresh")
  here, there = np.arange(8), np.arange(8)[::-1]
  for name, per_class in (("gates/kernel", 3), ("experts/kernel", 2),
                          ("experts/bias", 2)):
    one = after[f"classifier/{name}"].reshape([-1, 15, per_class])
    other = before[f"classifier/{name}"].reshape([-1, 13, per_class])
    np.testing.assert_array_equal(one[:, here], other[:, there])
    # New classes start as they do without another model, the biases at the prior.
    np.testing.assert_array_equal(
        one[:, 8:], fresh[f"classifier/{name}"].reshape(one.shape)[:, 8:])


@pytest.mark.long
def test_killed_runs_end_with_the_same_variables(records, source, tmp_path):
  """Killed before the first checkpoint, and after one; then the source is gone."""
  words = [*flags(source), f"--max_steps={STEPS}"]
  support.run_command(*command(records, tmp_path / "straight", *words,
                               classes="other.csv"))
  copy = tmp_path / "copy"
  shutil.copytree(source, copy)
  words[0] = f"--initialize_from={copy}"
  killed = command(records, tmp_path / "killed", *words, classes="other.csv")
  for after in (1, 4):
    process = subprocess.Popen(
        [sys.executable, "-m", *killed], env=support.ENVIRONMENT,
        stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
      step = re.search(r"step (\d+)/", line)
      if step and int(step[1]) >= after:
        process.send_signal(signal.SIGKILL)
        break
    process.stderr.read()
    assert process.wait() == -signal.SIGKILL
    assert checkpoints.exist(str(tmp_path / "killed")) == (after > 3)
  shutil.rmtree(copy)
  assert "Resuming from" in support.run_command(*killed).stderr
  expected, found = variables(tmp_path / "straight"), variables(tmp_path / "killed")
  assert expected.keys() == found.keys()
  for name, value in expected.items():
    np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_faults_are_one_line(records, source, tmp_path):
  for words, message in (
      ([f"--initialize_from={tmp_path}"], "holds no trained model"),
      ([f"--initialize_from={source}", "--model=FrameLevelLogisticModel"],
       "Nothing of --initialize_from="),
      (["--pretrained_learning_rate_multiplier=0.1"], "needs --initialize_from"),
      (["--freeze=aggregations"], "Unknown --freeze 'aggregations'. Valid: aggregation")):
    process = support.run_command(*command(
        records, tmp_path / "model", *words, classes="other.csv"), check=False)
    assert process.returncode == 1 and "Traceback" not in process.stderr
    [line] = [line for line in process.stderr.splitlines() if "ERROR: " in line]
    assert message in line
    assert not os.path.exists(tmp_path / "model" / "config.json")
