# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""yt8m-tune, as a user types it."""

import json
import re
import signal
import subprocess
import sys

import pytest

from tests.helpers import small_job
from tests.helpers import support
from yt8m.core import child_processes

TUNE = "yt8m.eval.tune"
RATE = "--search=base_learning_rate=1e-3..1e-1:log"


@pytest.fixture(scope="module")
def words(tmp_path_factory):
  """Flags of yt8m-train for tiny records."""
  folder = tmp_path_factory.mktemp("records")
  [path] = small_job.write_record_files(folder, [12])
  return [f"--train_data_pattern={path}", f"--eval_data_pattern={path}",
          "--feature_names=x", f"--feature_sizes={small_job.SIZE}", "--batch_size=4",
          f"--num_classes={small_job.NUM_CLASSES}", "--model=LogisticModel",
          "--num_epochs=2", "--eval_steps=2"]


@pytest.fixture(scope="module")
def finished(words, tmp_path_factory):
  """It is stopped by SIGTERM after its first trial, and then started again."""
  folder = tmp_path_factory.mktemp("tuned")
  command = [TUNE, f"--output_dir={folder}/out", "--num_trials=3", RATE,
             "--search=classifier.name=logistic,moe", "--pruner=none",
             "--metric=avg_loss", "--", *words]
  process = subprocess.Popen([sys.executable, "-m", *command], env=support.ENVIRONMENT,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
  for line in process.stdout:
    if " [1/3] " in line:
      process.send_signal(signal.SIGTERM)
      break
  output = process.stdout.read()
  assert process.wait() == 143 and "The same command continues" in output
  with child_processes.lock(folder / "out"):
    pass  # Trainings hold the lock as well, so none is left.
  return folder / "out", support.run_command(*command)


@pytest.mark.long
def test_a_stopped_search_goes_on_and_ends_with_the_best_model(finished, words):
  folder, process = finished
  assert "3 trials, 1 of them ended before" in process.stderr
  best = re.search(r"Best: avg_loss (\d\.\d+) at step \d+, in (.*):\n"
                   r"    (yt8m-train .*)\nWrote .*tuning.md", process.stdout)
  results = [json.loads(path.read_text()) for path in folder.glob("trials/*/result.json")]
  assert [result["state"] for result in results] == 3 * ["finished"]
  assert float(best[1]) == pytest.approx(
      min(value for result in results for value in result["values"]), abs=1e-4)
  kept = {path.parent for path in folder.glob("trials/*/model/model.ckpt-*.index")}
  assert [str(path) for path in kept] == [best[2]]
  document = (folder / "tuning.md").read_text()
  assert best[3] in document and " | finished | " in document
  evaluated = support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={best[2]}", "--run_once", words[1])
  assert f"Avg_Loss: {best[1]}" in evaluated.stdout


@pytest.mark.long
def test_a_training_that_fails_is_shown_with_its_error(words, tmp_path):
  process = support.run_command(
      TUNE, f"--output_dir={tmp_path}", RATE, "--", *words, "--bogus", check=False)
  assert process.returncode == 1
  assert re.search(r"(?s)ERROR: The first trial failed; correct the flags .*Unknown "
                   r"command line flag 'bogus'", process.stderr)


@pytest.mark.parametrize("flags, message", [
    ([RATE], r"Name flags of yt8m-train after --"),
    (["--", "--eval_data_pattern=x"], r"--search is missing\. Write NAME=LOW\.\.HIGH"),
    ([RATE, "--", "--model=MoeModel"], r"--eval_data_pattern is missing .*after --"),
    ([RATE, "--", "--eval_data_pattern=x", "--base_learning_rate=1"],
     r"--base_learning_rate is given after --, and searched"),
    ([RATE, "--", "--eval_data_pattern=x", "--train_dir", "y"],
     r"--train_dir after -- is not for a search: each trial has"),
    ([RATE, "--", "--eval_data_pattern=x", "--allow_code=y"],
     r"--allow_code after -- .*give it before --"),
    ([RATE, "--metric=gab", "--", "--eval_data_pattern=x"],
     r"metric 'gab'.*gap.*name your own with --metrics of yt8m-train, after --"),
    ([RATE, "--", "--eval_data_pattern=/no/*"], r"No file matches '/no/\*' .--eval_dat"),
    (["--search=train_dir=a,b", "--", "--eval_data_pattern=x"],
     r"--search=train_dir is not for a search: each trial has"),
    (["--search=x=1", "--", "--eval_data_pattern=x"], r"--search='x=1' needs at least")])
def test_what_cannot_be_searched_is_an_error(flags, message, tmp_path):
  process = support.run_command(TUNE, f"--output_dir={tmp_path}/out", *flags, check=False)
  assert process.returncode == 1 and re.search(message, process.stderr), process.stderr
  assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_a_metric_of_the_users_own(words, tmp_path, monkeypatch):
  (tmp_path / "my_metrics.py").write_text(
      "import keras\n"
      "class Worst(keras.metrics.MeanSquaredError):\n"
      "  less_is_better = True\n"
      "  def __init__(self):\n"
      "    super().__init__(name='worst')\n")
  monkeypatch.syspath_prepend(str(tmp_path))
  environment = {"PYTHONPATH": f"{tmp_path}:{support.ROOT}"}  # of the trainings
  command = (TUNE, f"--output_dir={tmp_path}/out", "--num_trials=1", RATE)
  process = support.run_command(
      *command, "--metric=worst", "--", *words, "--metrics=my_metrics:Worst",
      environment=environment)
  assert "Best: worst 0." in process.stdout
  (tmp_path / "flags").write_text("--metric=worst\n--\n--metrics=my_metrics:Worst\n"
                                  "--eval_data_pattern=x\n")
  failed = support.run_command(*command, f"--flagfile={tmp_path}/flags", check=False,
                               environment=environment)
  assert failed.returncode == 1 and "add --allow_code=my_metrics" in failed.stderr


@pytest.mark.long
def test_other_records_are_another_search(finished, words, tmp_path):
  folder, _ = finished
  [other] = small_job.write_record_files(tmp_path, [9])
  words = [f"--eval_data_pattern={other}" if word.startswith("--eval_data_pat") else word
           for word in words]
  process = support.run_command(
      TUNE, f"--output_dir={folder}", "--num_trials=3", RATE,
      "--search=classifier.name=logistic,moe", "--pruner=none", "--metric=avg_loss", "--",
      *words, check=False)
  assert process.returncode == 1
  assert re.search(r"what differs: flags .*, records ", process.stderr)


def test_files_of_others_are_not_replaced(tmp_path):
  (tmp_path / "tuning.md").write_text("mine")
  process = support.run_command(TUNE, f"--output_dir={tmp_path}", RATE, "--",
                                "--eval_data_pattern=x", check=False)
  assert process.returncode == 1 and "tuning.md" in process.stderr
  assert (tmp_path / "tuning.md").read_text() == "mine"


def test_two_at_a_time_in_one_directory_is_an_error(tmp_path):
  with child_processes.lock(tmp_path, "yt8m-tune"):
    process = support.run_command(TUNE, f"--output_dir={tmp_path}", RATE, "--",
                                  f"--eval_data_pattern={__file__}", check=False)
  assert process.returncode == 1
  assert "ERROR: Another yt8m-tune is at work in" in process.stderr
