# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train`: stopped and resumed at random steps, `--show_config`, `--help`."""

import json
import random
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import small_job
from tests.helpers import support
from yt8m.configs import experiment
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
  return ["yt8m.train", f"--train_dir={train_dir}",
          f"--train_data_pattern={records}/frame/train*.tfrecord",
          "--frame_features", "--feature_names=rgb,audio", "--feature_sizes=16,8",
          "--model=DbofModel", "--dbof_cluster_size=24", "--dbof_hidden_size=8",
          "--iterations=4", "--classifier=hidden",
          '--hparams={"classifier": {"units": 12, "input_dropout": 0.2}}',
          "--num_classes=13", "--max_frames=12", "--batch_size=8",
          f"--max_steps={STEPS}", "--num_epochs=100", "--export_model_steps=3",
          "--weight_averaging=ema", "--log_steps=1", "--seed=5", "--num_readers=2",
          "--shuffle_buffer=16"]


def test_the_vocabulary_says_how_many_classes_there_are(records, tmp_path):
  words = [word for word in command(records, tmp_path / "model")
           if not word.startswith(("--num_classes", "--max_steps"))]
  words += [f"--vocabulary={records}/vocabulary.csv", "--max_steps=1"]
  log = support.run_command(*words).stderr
  assert f"--num_classes=13, from --vocabulary={records}/vocabulary.csv" in log
  assert experiment.Experiment.load(str(tmp_path / "model")).num_classes == 13
  again = support.run_command(*words, "--num_classes=14", "--start_new_model").stderr
  assert "from --vocabulary" not in again  # What is typed counts.


def test_a_resumed_training_has_the_same_config(records, tmp_path):
  words = [*command(records, tmp_path / "model"), "--max_steps=2"]
  support.run_command(*words, "--start_new_model")
  config = (tmp_path / "model" / "config.json").read_bytes()
  support.run_command(*words)
  assert (tmp_path / "model" / "config.json").read_bytes() == config


def test_no_model_is_deleted_for_records_that_cannot_be_read(records, tmp_path):
  words = [word for word in command(records, tmp_path / "model")
           if not word.startswith("--max_steps")]
  support.run_command(*words, "--max_steps=1")
  before = sorted(path.name for path in (tmp_path / "model").iterdir())
  failed = support.run_command(*words, "--max_steps=1", "--start_new_model",
                               "--feature_sizes=16,9", check=False)
  assert failed.returncode == 1 and "Correct --feature_sizes" in failed.stderr
  assert sorted(path.name for path in (tmp_path / "model").iterdir()) == before


def variables(train_dir):
  path = tf.train.latest_checkpoint(str(train_dir))
  assert path.endswith(f"-{STEPS}")
  reader = tf.train.load_checkpoint(path)
  return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
          if name.startswith(("weights/", "weights_averaged/", "optimizer/",
                              "random_states/", "epoch"))}


def stop(records, train_dir, signal_number, after):
  """Sends a signal to the command after a step; returns its exit status and messages."""
  process = subprocess.Popen(
      [sys.executable, "-m", *command(records, train_dir)], env=support.ENVIRONMENT,
      stderr=subprocess.PIPE, text=True)
  lines = []
  for line in process.stderr:
    lines.append(line)
    step = re.search(r"step (\d+)/", line)
    if step and int(step[1]) >= after:
      process.send_signal(signal_number)
      break
  lines.append(process.stderr.read())
  return process.wait(), "".join(lines)


@pytest.mark.long
def test_stopped_or_killed_runs_end_with_the_same_variables(records, tmp_path):
  support.run_command(*command(records, tmp_path / "straight"))

  stopped = tmp_path / "stopped"
  random_step = random.SystemRandom().randrange
  steps = [random_step(2, 8), random_step(10, 17), random_step(19, STEPS - 2)]
  code, messages = stop(records, stopped, signal.SIGTERM, steps[0])
  assert code == 128 + signal.SIGTERM
  assert "Stopped by SIGTERM" in messages and "run the same command again" in messages
  assert experiment.is_finished(str(stopped)) is False
  check_warnings(records, stopped, tmp_path)
  code, messages = stop(records, stopped, signal.SIGINT, steps[1])
  assert code == 128 + signal.SIGINT and "Stopped by SIGINT" in messages
  code, messages = stop(records, stopped, signal.SIGKILL, steps[2])
  assert code == -signal.SIGKILL
  assert experiment.is_finished(str(stopped)) is False
  resumed = support.run_command(*command(records, stopped))
  assert "Resuming from" in resumed.stderr and experiment.is_finished(str(stopped))

  expected, found = variables(tmp_path / "straight"), variables(stopped)
  assert set(expected) == set(found)
  assert any(name.startswith("weights_averaged/") for name in expected)
  for name, value in expected.items():
    np.testing.assert_array_equal(value, found[name], err_msg=f"{name}, {steps}")


def check_warnings(records, train_dir, tmp_path):
  """Commands that use an unfinished model say so."""
  for module, flags in (
      ("yt8m.eval.evaluate",
       ["--run_once", "--top_k=3",
        f"--eval_data_pattern={records}/frame/validate*.tfrecord"]),
      ("yt8m.export.inference",
       ["--top_k=3", f"--input_data_pattern={records}/frame/test*.tfrecord",
        f"--output_file={tmp_path}/out.csv"]),
      ("yt8m.export.export_model", ["--top_k=3", f"--output_dir={tmp_path}/serving"])):
    process = support.run_command(module, f"--train_dir={train_dir}", *flags)
    assert re.search(rf"has not finished: step \d+ of {STEPS}", process.stderr), module


@pytest.mark.long
def test_what_is_left_out_is_counted_once(tmp_path):
  """Not again by the look at the labels, in every epoch, or in every evaluation."""
  train, wrong = small_job.write_record_files(tmp_path, [20, 3])
  small_job.add_bad_record(train)
  for number in range(2):
    small_job.add_bad_record(wrong, labels=[number + 6])
  evaluated, = small_job.write_record_files(tmp_path / "eval", [4])
  small_job.break_file(evaluated)
  flags = ["yt8m.train", "--feature_names=x", "--feature_sizes=4", "--num_classes=6",
           "--batch_size=4", "--skip_bad_records"]
  process = support.run_command(
      *flags, f"--train_data_pattern={train},{wrong}", f"--train_dir={tmp_path}/model",
      f"--eval_data_pattern={evaluated}", "--export_model_steps=4", "--num_epochs=3",
      "--skip_corrupt_records")
  assert len(re.findall("(?m)^ +[0-9]+ +0", process.stderr)) >= 4, "evaluations"
  assert process.stderr.endswith(
      "In the records that were read: bad records left out, with labels out of range: 2, "
      "bad records left out, with values that are not finite: 1, damaged files: 1.\n")
  assert process.stderr.count("In the records that were read") == 1
  for name in (train, wrong, evaluated):
    assert process.stderr.count(f"{name}, record ") == (2 if name == wrong else 1)

  (tmp_path / "bad.tfrecord").touch()
  for _ in range(5):
    small_job.add_bad_record(str(tmp_path / "bad.tfrecord"))
  process = support.run_command(
      *flags, f"--train_data_pattern={tmp_path}/bad.tfrecord",
      f"--train_dir={tmp_path}/none", check=False)
  assert process.returncode == 1 and "--batch_size" not in process.stderr
  assert (f"ERROR: All records of --train_data_pattern={tmp_path}/bad.tfrecord were left "
          "out, or its files are empty (bad records left out, with values that are not "
          "finite: 5). The warnings above name the first ones.") in process.stderr


def test_show_config_prints_the_model_and_where_every_flag_comes_from(tmp_path):
  (tmp_path / "flags").write_text("--num_epochs=7\n")
  process = support.run_command(
      "yt8m.train", f"--train_dir={tmp_path}/model", "--recipe=small-lstm",
      "--frame_features", "--num_classes=13", f"--flagfile={tmp_path}/flags",
      "--noskip_corrupt_records", "--show_config")
  config, _, lines = process.stdout.partition("\n--")
  assert json.loads(config)["aggregation"]["units"] == 96
  found = {}
  for line in f"--{lines}".splitlines():
    flag, origin = re.fullmatch(r"--(\S+) +(.+)", line).groups()
    found[flag] = origin
  assert found["batch_size=64"] == found["base_learning_rate=0.005"] == "recipe"
  assert found["num_epochs=7"] == "flagfile"
  assert found["seed=0"] == found["lstm_cells=None"] == "default"
  for flag in ("num_classes=13", "model=small-lstm", "frame_features=True",
               "skip_corrupt_records=False", f"train_dir={tmp_path}/model"):
    assert found[flag] == "command line"
  assert not (tmp_path / "model").exists()


def test_a_setting_is_kept_and_compared_like_hparams(records, tmp_path):
  flags = ["yt8m.train", f"--train_dir={tmp_path}/model", "--num_classes=13",
           f"--train_data_pattern={records}/video/train*.tfrecord", "--batch_size=16",
           "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8",
           "--classifier=gated"]
  support.run_command(*flags, "--max_steps=1", "--set=classifier.head.num_mixtures=4",
                      '--hparams={"classifier": {"head": {"l2_penalty": 0.5}}}')
  config = json.loads((tmp_path / "model" / "config.json").read_text())
  assert config["model"]["classifier"]["head"] == {
      "name": "moe", "num_mixtures": 4, "l2_penalty": 0.5}
  text = '{"classifier": {"head": {"l2_penalty": 0.5, "num_mixtures": 4}}}'
  assert config["flags"]["hparams"] == text and "set" not in config["flags"]
  resumed = support.run_command(*flags, "--max_steps=2", f"--hparams={text}")
  assert "Resuming from" in resumed.stderr and "--hparams" not in resumed.stderr
  other = support.run_command(
      *flags, "--max_steps=3", "--set", "classifier.head.num_mixtures=3",
      "--set", "classifier.head.l2_penalty=0.5", check=False)
  assert other.returncode == 1
  assert "its classifier.head.num_mixtures is 4, the flags say 3" in other.stderr


@pytest.mark.parametrize("flags, message", [
    (["--set=classifier.mixtures=3"], "classifier 'moe' has no hyperparameter mixtures. "
     "Valid: l2_penalty, low_rank_gates, num_mixtures (--hparams, --set)."),
    (["--set=classifier.num_mixtures=many"],
     "classifier 'moe': num_mixtures is 'many', but must be of type int"),
    (["--classifier=gated", "--set=classifier.head.units=3"],
     "classifier 'moe' has no hyperparameter units. Valid: l2_penalty, "),
    (["--fusion=none"], "ERROR: --fusion=none: every model has a fusion. Only "
     "--aggregation can be none. Valid: "),
    (["--set=moe.num_mixtures=3"], "Unknown part of a model 'moe'. Valid: model, "),
])
def test_a_wrong_setting_lists_the_valid_ones(flags, message, tmp_path):
  process = support.run_command(
      "yt8m.train", f"--train_dir={tmp_path}/model", "--model=MoeModel", "--show_config",
      *flags, check=False)
  assert process.returncode == 1 and message in process.stderr, process.stderr


def test_show_config_shows_settings_as_hparams(tmp_path):
  process = support.run_command(
      "yt8m.train", f"--train_dir={tmp_path}/model", "--model=MoeModel", "--show_config",
      "--set", "classifier.num_mixtures=3")
  [line] = [line for line in process.stdout.splitlines() if line.startswith("--hparams=")]
  assert line.split(" " * 2)[0] == '--hparams={"classifier": {"num_mixtures": 3}}'
  assert line.endswith("command line")


def test_help_shows_the_defaults_of_constructors():
  process = support.run_command("yt8m.train", "--help", check=False)
  text = " ".join(process.stdout.split())
  assert "Number of cells of an LSTM layer. Default: the recipe's, or else 1024." in text
  assert "or else 8192." in text and "DbofModel: 30." in text


def test_an_empty_directory_name_is_an_error(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / "train").mkdir()
  process = support.run_command(
      "yt8m.train", "--train_dir=", "--start_new_model", check=False)
  assert process.returncode == 1
  assert "--train_dir is empty: give a path" in process.stderr
  assert (tmp_path / "train").exists()
