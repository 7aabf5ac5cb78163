# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Two workers: every record once an epoch; a stopped or killed worker stops the other."""

import concurrent.futures
import contextlib
import json
import signal

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import processes
from tests.helpers import support
from yt8m.data import tfrecords
from yt8m.training import strategies


def environments():
  """Returns the environments of two workers."""
  cluster = {"worker": [f"localhost:{port}" for port in processes.free_ports(2)]}
  return [{"TF_CONFIG": json.dumps(
      {"cluster": cluster, "task": {"type": "worker", "index": index}})}
      for index in range(2)]


def flags(records, train_dir, *others):
  return [f"--train_dir={train_dir}", f"--train_data_pattern={records}/*.tfrecord",
          "--feature_sizes=4", "--num_classes=5", "--log_steps=1",
          "--model=LogisticModel", "--optimizer=GradientDescentOptimizer", *others]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
  """Three files of 14, 30 and 5 records."""
  directory = tmp_path_factory.mktemp("records")
  rng = np.random.default_rng(0)
  for index, size in enumerate((14, 30, 5)):
    with tf.io.TFRecordWriter(str(directory / f"{index}.tfrecord")) as writer:
      for row in range(size):
        writer.write(tfrecords.video_example(
            f"{index}-{row}", [int(rng.integers(5))],
            {"mean_rgb": rng.normal(size=4)}).SerializeToString())
  return directory


def weights(train_dir, step):
  reader = tf.train.load_checkpoint(str(train_dir / f"model.ckpt-{step}"))
  return [reader.get_tensor(f"weights/{index}/.ATTRIBUTES/VARIABLE_VALUE")
          for index in range(2)]


@pytest.mark.long
def test_every_record_is_read_once_an_epoch(records, tmp_path):
  # One step an epoch: its gradient is that of all records, in whichever order.
  others = ["--batch_size=128", "--num_epochs=3"]
  support.run_command("yt8m.train", *flags(records, tmp_path / "one", *others))
  with concurrent.futures.ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda environment: support.run_command(
        "yt8m.train", *flags(records, tmp_path / "two", *others),
        environment=environment), environments()))
  for one, two in zip(weights(tmp_path / "one", 3), weights(tmp_path / "two", 3),
                      strict=True):
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)
  check_evaluation(records, tmp_path)


def check_evaluation(records, tmp_path):
  """Two workers share the records out, and print the metrics of all once."""
  arguments = ["yt8m.eval.evaluate", f"--train_dir={tmp_path / 'two'}", "--run_once",
               f"--eval_data_pattern={records}/*.tfrecord", "--top_k=5"]
  one = support.run_command(*arguments).stdout
  results = support.evaluated(tmp_path / "two", "metrics-3.json")
  of_one = json.loads(results.read_text())
  with concurrent.futures.ThreadPoolExecutor(2) as pool:
    outputs = list(pool.map(lambda environment: support.run_command(
        *arguments, environment=environment).stdout, environments()))
  assert outputs == [one, ""]
  of_two = json.loads(results.read_text())
  assert of_two["num_examples"] == 49
  assert of_two.pop("avg_loss") == pytest.approx(of_one.pop("avg_loss"))
  assert of_two == of_one


@pytest.mark.long
def test_a_stopped_or_killed_worker_stops_the_other(records, tmp_path):
  logs = [tmp_path / f"log-{index}" for index in range(2)]

  @contextlib.contextmanager
  def training():
    """Yields the two workers, when they train."""
    with contextlib.ExitStack() as stack:
      workers = [stack.enter_context(processes.started(
          "yt8m.train", *flags(records, tmp_path / "model", "--batch_size=8",
                               "--num_epochs=100000"),
          log=log, environment=environment))
          for log, environment in zip(logs, environments(), strict=True)]
      processes.wait_for(lambda: "loss" in logs[0].read_text(), workers[0])
      yield workers

  for stopped in ([1], [0, 1]):
    with training() as workers:
      for index in stopped:
        workers[index].send_signal(signal.SIGTERM)
      assert [worker.wait(60) for worker in workers] == [143, 143]
    assert "Waiting until all workers" in logs[0].read_text()
    assert "worker 1 (localhost:" in logs[0].read_text()
    step = int(tf.train.latest_checkpoint(str(tmp_path / "model")).rpartition("-")[2])
    for text in (log.read_text() for log in logs):
      assert text.count("Stopped by SIGTERM") == 1 and "Traceback" not in text
      assert f"Stopped by SIGTERM at step {step}, epoch" in text

  for killed in range(2):
    left = 1 - killed
    with training() as workers:
      assert f"step {step}" in logs[0].read_text()  # resumed
      workers[killed].kill()
      assert workers[left].wait(60) == 1
    assert "ERROR: Another worker has ended" in logs[left].read_text()
    assert "Traceback" not in logs[left].read_text()


def test_a_worker_waits_for_the_others_before_it_ends(monkeypatch):
  events = []

  def barrier(strategy):
    events.append("barrier")
    raise tf.errors.UnavailableError(None, None, "the other worker left first")

  monkeypatch.setattr(strategies, "barrier", barrier)
  monkeypatch.setattr(strategies, "is_multi_worker", lambda strategy: True)
  with strategies.lost_workers_named(tf.distribute.get_strategy(), "Repeat it."):
    events.append("work")
  assert events == ["work", "barrier"]
  with (pytest.raises(ConnectionError, match="has ended .* Repeat it."),
        strategies.lost_workers_named(tf.distribute.get_strategy(), "Repeat it.")):
    raise tf.errors.UnavailableError(None, None, "the other worker was killed")


def test_tf_config_is_checked(monkeypatch):
  monkeypatch.setenv("TF_CONFIG", '{"cluster": ["host:1"]}')
  with pytest.raises(ValueError, match="TF_CONFIG=.* is not a cluster .* Write it as"):
    strategies.make_strategy("multi_worker")
