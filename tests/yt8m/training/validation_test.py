# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training that evaluates its checkpoints: the best one stays, whatever happens."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import processes
from tests.helpers import support
from yt8m.eval.metrics import results
from yt8m.synthetic import writer

TRAIN, STEPS = "yt8m.train", 40


@pytest.fixture(scope="module")
def records(tmp_path_factory):
  folder = tmp_path_factory.mktemp("records")
  writer.write(writer.SampleDataConfig(
      num_videos=120, num_classes=13, max_frames=8, feature_sizes=(16, 8),
      num_shards=2), str(folder))
  return folder / "video"


def arguments(records, train_dir, *more, evaluated=True):
  return (f"--train_data_pattern={records}/train*", f"--train_dir={train_dir}",
          "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8",
          "--num_classes=13", "--model=LogisticModel", "--batch_size=8",
          "--num_epochs=99", f"--max_steps={STEPS}", "--export_model_steps=5",
          "--base_learning_rate=0.3", "--keep_checkpoints=2", "--log_steps=20",
          *([f"--eval_data_pattern={records}/validate*"] if evaluated else []), *more)


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
  """A training directory, and the log of its training."""
  train_dir = tmp_path_factory.mktemp("model") / "model"
  log = support.run_command(TRAIN, *arguments(records, train_dir)).stderr
  return train_dir, log


def history(train_dir):
  [folder] = (train_dir / "eval").glob("validate-*")
  return results.history(str(folder))


def best(train_dir):
  return json.loads((train_dir / "best.json").read_text())


def steps(train_dir):
  return sorted(int(path.stem.rpartition("-")[2])
                for path in train_dir.glob("model.ckpt-*.index"))


def files(train_dir):
  """Returns what must be the same in every run: results, and the variables."""
  found = {str(path.relative_to(train_dir)): path.read_bytes()
           for pattern in ("best.json", "eval/validate-*/*.json*")
           for path in train_dir.glob(pattern)}
  for step in steps(train_dir):
    reader = tf.train.load_checkpoint(str(train_dir / f"model.ckpt-{step}"))
    for name in reader.get_variable_to_shape_map():
      if name != "_CHECKPOINTABLE_OBJECT_GRAPH" and "save_counter" not in name:
        found[f"{step}/{name}"] = np.asarray(reader.get_tensor(name)).tobytes()
  return found


def test_the_best_checkpoint_stays_when_other_records_or_metrics_judge(
    records, trained, tmp_path):
  train_dir = tmp_path / "model"
  shutil.copytree(trained[0], train_dir)
  before = best(train_dir)
  more = (f"--max_steps={STEPS + 5}", f"--eval_data_pattern={records}/test*")
  log = support.run_command(
      TRAIN, *arguments(records, train_dir, *more, evaluated=False)).stderr
  assert "was evaluated on other records, and is evaluated again" in log
  assert before["step"] in steps(train_dir)
  [folder] = (train_dir / "eval").glob("test-*")
  judged = {line["step"]: line["gap"] for line in results.history(str(folder))}
  assert list(judged) == [before["step"], STEPS, STEPS + 5]
  assert best(train_dir)["step"] == max(judged, key=judged.get)

  # Of the steps that are best by another metric, only two have a checkpoint.
  more = (f"--max_steps={STEPS + 10}", "--best_metric=avg_loss")
  support.run_command(TRAIN, *arguments(records, train_dir, *more))
  assert best(train_dir)["metric"] == "avg_loss"
  assert best(train_dir)["step"] in steps(train_dir)


def test_the_best_checkpoint_stays_beside_the_newest(trained):
  train_dir, log = trained
  lines = history(train_dir)
  assert [line["step"] for line in lines] == list(range(5, STEPS + 1, 5))
  gaps = {line["step"]: line["gap"] for line in lines}
  top = max(gaps, key=lambda step: (gaps[step], -step))
  assert best(train_dir)["step"] == top < STEPS - 5  # or the test says nothing
  assert best(train_dir)["value"] == gaps[top]
  assert steps(train_dir) == [top, STEPS - 5, STEPS]
  assert f"The best checkpoint: step {top}, gap {gaps[top]:.4f} on " in log
  assert "  best\n" in log


def test_the_best_of_before_goes_when_the_last_one_is_better(records, tmp_path):
  command = arguments(records, tmp_path, "--max_steps=10", "--keep_checkpoints=1",
                      "--base_learning_rate=0.01")
  support.run_command(TRAIN, *command)
  assert best(tmp_path)["step"] == 10 and steps(tmp_path) == [10]
  before = files(tmp_path)
  support.run_command(TRAIN, *command)  # It is finished.
  assert files(tmp_path) == before


def test_every_command_uses_the_best_one_and_says_so(trained, records, tmp_path):
  train_dir, _ = trained
  top, command = best(train_dir)["step"], "yt8m.eval.evaluate"
  for more, step in (((), top), (("--checkpoint=best",), top),
                     (("--checkpoint=latest",), STEPS), (("--checkpoint=35",), 35)):
    run = support.run_command(
        command, f"--train_dir={train_dir}", "--run_once", *more,
        f"--eval_data_pattern={records}/test*")
    assert run.stdout.startswith(f"step {step} |")
    assert ("The best checkpoint of" in run.stderr) == (step == top)
  support.run_command("yt8m.export.export_model", f"--train_dir={train_dir}",
                      f"--output_dir={tmp_path}/saved")
  card = (tmp_path / "saved/assets.extra/MODEL_CARD.md").read_text()
  assert f"step {top}" in card
  assert f"best checkpoint of its training | step {top}, gap" in card


def test_evaluation_is_that_of_the_command_and_changes_nothing(trained, records,
                                                               tmp_path):
  train_dir, _ = trained
  support.run_command(TRAIN, *arguments(records, tmp_path / "plain", evaluated=False))
  assert not (tmp_path / "plain/best.json").exists()
  found, plain = files(train_dir), files(tmp_path / "plain")
  assert plain and all(found[name] == value for name, value in plain.items())
  failed = support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={tmp_path}/plain", "--checkpoint=best",
      f"--eval_data_pattern={records}/validate*", check=False)
  assert failed.returncode == 1 and "Train with --eval_data_pattern" in failed.stderr
  support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={tmp_path}/plain", "--run_once",
      f"--eval_data_pattern={records}/validate*")
  assert history(tmp_path / "plain") == history(train_dir)[-1:]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_that_was_stopped_ends_with_the_same_bytes(
    number, trained, records, tmp_path):
  train_dir = tmp_path / "model"
  command = arguments(records, train_dir)

  def lines():
    begun = any(train_dir.glob("eval/validate-*/metrics.jsonl"))
    return len(history(train_dir)) if begun else 0

  for count in (1, 3, 6):
    with processes.started(TRAIN, *command, log=tmp_path / "log") as process:
      processes.wait_for(lambda count=count: lines() >= count, process)
      os.kill(process.pid, number)
      process.wait()
  support.run_command(TRAIN, *command)
  expected, found = files(trained[0]), files(train_dir)
  assert expected.keys() <= found.keys()  # A signal saves one more checkpoint.
  assert all(found[name] == value for name, value in expected.items()
             if not name.startswith("eval"))
  same = {name: value for name, value in expected.items() if name.startswith("eval")}
  assert same == {name: value for name, value in found.items() if name.startswith("eval")}


def test_training_ends_without_a_better_evaluation(records, tmp_path):
  train_dir = tmp_path / "model"
  command = arguments(records, train_dir, "--early_stopping_patience=2",
                      "--best_metric=avg_loss", "--eval_steps=4")
  log = support.run_command(TRAIN, *command).stderr
  losses = {line["step"]: line["avg_loss"] for line in history(train_dir)}
  assert all(step % 4 == 0 or step % 5 == 0 for step in losses)
  top = min(losses, key=losses.__getitem__)
  assert best(train_dir)["step"] == top
  assert [step for step in losses if step > top] == sorted(losses)[-2:]
  assert max(losses) < STEPS and "no better evaluation since the best one" in log
  before = files(train_dir)
  again = support.run_command(TRAIN, *command).stderr
  assert f"Finished at step {max(losses)}" in again and files(train_dir) == before


@pytest.mark.long
def test_what_came_after_a_checkpoint_is_forgotten_when_training_goes_on_from_it(
    trained, records, tmp_path):
  train_dir = tmp_path / "model"
  support.run_command(TRAIN, *arguments(records, train_dir, "--keep_checkpoints=9"))
  command = arguments(records, train_dir, "--checkpoint=15", "--keep_checkpoints=9",
                      "--max_steps=20")
  support.run_command(TRAIN, *command)
  assert history(train_dir) == history(trained[0])[:4]
  gaps = {line["step"]: line["gap"] for line in history(train_dir)}
  assert best(train_dir)["step"] == max(gaps, key=lambda step: (gaps[step], -step))


@pytest.mark.parametrize(("more", "words"), [
    (("--eval_steps=3",), "--eval_steps=3 needs --eval_data_pattern"),
    (("--early_stopping_patience=3",), "needs --eval_data_pattern"),
    (("--eval_data_pattern=/nothing*",), "'/nothing*' (--eval_data_pattern)"),
    (("--best_metric=auc",), "--best_metric")])
def test_wrong_flags_are_named(more, words, records, tmp_path):
  failed = support.run_command(
      TRAIN, *arguments(records, tmp_path / "model", *more, evaluated=False), check=False)
  assert failed.returncode == 1 and words in failed.stderr
