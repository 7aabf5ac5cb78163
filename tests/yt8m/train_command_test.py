# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train`, killed at a random step and resumed, ends like an uninterrupted run."""

import random
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.synthetic import writer

STEPS = 30


@pytest.fixture(scope="module")
def records(tmp_path_factory):
  directory = tmp_path_factory.mktemp("killed") / "sample"
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=3), str(directory))
  return directory


def command(records, train_dir):
  """Flags with frame sampling, dropout, batch normalisation and shuffling."""
  return [sys.executable, "-m", "yt8m.train", f"--train_dir={train_dir}",
          f"--train_data_pattern={records}/frame/train*.tfrecord",
          "--frame_features", "--feature_names=rgb,audio", "--feature_sizes=16,8",
          "--model=DbofModel", "--dbof_cluster_size=24", "--dbof_hidden_size=8",
          "--iterations=4", "--classifier=hidden",
          '--hparams={"classifier": {"units": 12, "input_dropout": 0.2}}',
          "--num_classes=13", "--max_frames=12", "--batch_size=8",
          f"--max_steps={STEPS}", "--num_epochs=100", "--export_model_steps=3",
          "--weight_averaging=ema", "--log_steps=1", "--seed=5", "--num_readers=2",
          "--shuffle_buffer=16"]


def variables(train_dir):
  path = tf.train.latest_checkpoint(str(train_dir))
  assert path.endswith(f"-{STEPS}")
  reader = tf.train.load_checkpoint(path)
  return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
          if name.startswith(("weights/", "weights_averaged/", "optimizer/",
                              "random_states/", "epoch"))}


def test_sigkill_and_restart_end_with_the_same_variables(records, tmp_path):
  straight = subprocess.run(command(records, tmp_path / "straight"),
                            env=support.ENVIRONMENT, capture_output=True, text=True)
  assert straight.returncode == 0, straight.stderr

  kill_at = random.SystemRandom().randrange(4, STEPS - 2)
  process = subprocess.Popen(command(records, tmp_path / "killed"),
                             env=support.ENVIRONMENT, stderr=subprocess.PIPE, text=True)
  for line in process.stderr:
    step = re.search(r"step (\d+)/", line)
    if step and int(step[1]) >= kill_at:
      process.send_signal(signal.SIGKILL)
      break
  process.stderr.read()
  assert process.wait() == -signal.SIGKILL
  resumed = subprocess.run(command(records, tmp_path / "killed"),
                           env=support.ENVIRONMENT, capture_output=True, text=True)
  assert resumed.returncode == 0, resumed.stderr
  assert "Resuming from" in resumed.stderr

  expected, found = variables(tmp_path / "straight"), variables(tmp_path / "killed")
  assert set(expected) == set(found)
  assert any(name.startswith("weights_averaged/") for name in expected)
  for name, value in expected.items():
    np.testing.assert_array_equal(value, found[name], err_msg=f"{name}, kill {kill_at}")
