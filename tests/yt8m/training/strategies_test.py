# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Strategies by name; `yt8m-train` on two workers trains, saves once, resumes exactly."""

import concurrent.futures
import json

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import processes
from tests.helpers import support
from yt8m.synthetic import writer
from yt8m.training import strategies


def train(records, train_dir, max_steps, chief="worker"):
  """Trains on two workers; `chief` is the name of the job of the first one."""
  hosts = [f"localhost:{port}" for port in processes.free_ports(2)]
  cluster = {"worker": hosts} if chief == "worker" else {
      chief: hosts[:1], "worker": hosts[1:]}
  tasks = [{"type": name, "index": index}
           for name in cluster for index in range(len(cluster[name]))]

  def worker(task):
    return support.run_command(
        "yt8m.train", f"--train_dir={train_dir}",
        f"--train_data_pattern={records}/frame/train*.tfrecord", "--frame_features",
        "--feature_names=rgb,audio", "--feature_sizes=16,8", "--model=DbofModel",
        "--dbof_cluster_size=12", "--dbof_hidden_size=8", "--iterations=4",
        "--num_classes=13", "--max_frames=12", "--batch_size=8",
        f"--max_steps={max_steps}", "--num_epochs=100", "--log_steps=1",
        environment={"TF_CONFIG": json.dumps(
            {"cluster": cluster, "task": task})})

  with concurrent.futures.ThreadPoolExecutor(2) as pool:
    return [process.stdout + process.stderr for process in pool.map(worker, tasks)]


def weights(train_dir, step):
  reader = tf.train.load_checkpoint(str(train_dir / f"model.ckpt-{step}"))
  return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
          if name.startswith(("weights/", "optimizer/"))}


@pytest.mark.long
def test_two_workers_train_save_and_resume(tmp_path):
  records = tmp_path / "sample"
  writer.write(writer.SampleDataConfig(
      num_videos=80, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=2), str(records))
  chief, other = train(records, tmp_path / "straight", 8)
  assert "step 8/" in chief and "step 8/" not in other
  train(records, tmp_path / "resumed", 3)
  # The starter code calls the job of the chief `master`.
  chief, other = train(records, tmp_path / "resumed", 8, chief="master")
  assert "Resuming from" in chief
  assert "step 8/" in chief and "step 8/" not in other
  straight, resumed = [weights(tmp_path / name, 8) for name in ("straight", "resumed")]
  assert straight.keys() == resumed.keys() and len(straight) > 20
  for name, value in straight.items():
    np.testing.assert_allclose(value, resumed[name], rtol=1e-6, atol=1e-7, err_msg=name)


def test_strategies_by_name():
  assert strategies.make_strategy("auto") is tf.distribute.get_strategy()
  assert strategies.is_chief(strategies.make_strategy("mirrored"))
  with pytest.raises(ValueError, match="Unknown --strategy 'miror'. Valid: mirrored, "):
    strategies.make_strategy("miror")


def test_more_gpus_than_there_are(monkeypatch):
  devices = tf.config.list_logical_devices("CPU")
  monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)
  with pytest.raises(ValueError, match="--num_gpu=2, but TensorFlow sees 1: lower it"):
    strategies.make_strategy("auto", 2)
  assert strategies.make_strategy("mirrored", 1).num_replicas_in_sync == 1


@pytest.mark.parametrize("config, message", [
    ("{", "Expecting property name"), ("[1]", "'list' object has no attribute"),
    ('{"cluster": {"master": ["a:1"], "chief": ["b:1"]}}', "a chief and a master")])
def test_a_tf_config_that_is_none_is_named(config, message, monkeypatch):
  monkeypatch.setenv("TF_CONFIG", config)
  with pytest.raises(ValueError, match=f"TF_CONFIG=.* is not a cluster .*{message}"):
    strategies.make_strategy("auto")


def test_a_batch_that_replicas_cannot_share_is_refused():
  context = tf.distribute.InputContext(num_replicas_in_sync=3)
  assert strategies.pipeline_batch_size(context, 12) == 4
  with pytest.raises(ValueError, match="--batch_size=8 .* choose a multiple of 3"):
    strategies.pipeline_batch_size(context, 8)
