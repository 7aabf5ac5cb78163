# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rows that share a training: what is trained, evaluated again, and kept."""

import json
import os
import shutil

import pytest
import tensorflow as tf

from yt8m.configs import experiment
from yt8m.core import child_processes
from yt8m.eval.ablations import records
from yt8m.eval.ablations import runs as ablation_runs
from yt8m.eval.ablations import table as ablation_table

CONFIG = {
    "name": "t", "title": "T", "common": {}, "evaluate": {"top_k": 20},
    "rows": [{"name": "one", "flags": {"units": 3}},
             {"name": "two", "flags": {"units": 3}, "evaluate": {"top_k": 2}},
             {"name": "other", "flags": {"units": 4}}]}


class Commands:
  """Stands in for `child_processes.Runner`: writes what the commands would write.

  Args:
    failing: words; a command with one of them fails.
    stopping: trainings are stopped at step 2 of 7, with the exit status of a signal.
  """

  def __init__(self, failing=(), stopping=False):
    self.failing, self.stopping, self.ran = failing, stopping, []

  def run(self, command, log):
    name, *arguments = command
    print(name, file=log)
    flags = dict(argument.lstrip("-").partition("=")[::2] for argument in arguments)
    self.ran.append((name, flags.get("units") or flags.get("num_folds")
                     or flags.get("top_k")))
    if any(word in command for word in self.failing):
      raise child_processes.RunFailed(f"{name} failed")
    if name == "yt8m-train":
      self.ran[-1] += () if "start_new_model" in flags else ("resumed",)
      os.makedirs(os.path.join(flags["train_dir"], "train"), exist_ok=True)
      experiment.write_status(flags["train_dir"], not self.stopping, 7)
      tf.train.CheckpointManager(
          tf.train.Checkpoint(units=tf.Variable(int(flags["units"]))), flags["train_dir"],
          max_to_keep=1, checkpoint_name="model.ckpt").save(
              checkpoint_number=2 if self.stopping else 7)
      if self.stopping:
        raise child_processes.RunFailed(f"{name} ended with code 143")
    elif name == "yt8m-calibrate":
      shutil.copytree(flags["train_dir"], flags["output_dir"])
    else:
      directory = os.path.join(flags["train_dir"], "eval", "heldout-01ab")
      os.makedirs(directory, exist_ok=True)
      [(_, units)] = [
          (name, tf.train.load_variable(tf.train.latest_checkpoint(flags["train_dir"]),
                                        name))
          for name, _ in tf.train.list_variables(flags["train_dir"]) if "units" in name]
      with open(os.path.join(directory, "metrics-7.json"), "w") as file:
        json.dump({"units": int(units), "top_k": flags["top_k"]}, file)


def ablate(directory, rows=None, keep=False, failing=(), config=CONFIG, stopping=False):
  """Runs a table; returns the commands, and the outcomes by row."""
  table = ablation_table.Table.from_config(config)
  every = ablation_runs.make_runs(table, 1, str(directory / "t"))
  todo = [run for run in every
          if (rows is None or run.row.name in rows) and not run.result()]
  commands, outcomes = Commands(failing, stopping), {}
  for training in ablation_runs.make_trainings(every, todo):
    outcomes |= {run.row.name: outcome for run, outcome in
                 ablation_runs.execute(training, commands, keep)}
  return commands.ran, outcomes


def models(directory):
  return {path.parts[-4] for path in directory.glob("*/*/*/*/checkpoint")}


def test_evaluation_ends(tmp_path):
  """`yt8m-eval` would wait for more checkpoints."""
  config = {**CONFIG, "evaluate": {"run_once": False}}
  [run, *_] = ablation_runs.make_runs(
      ablation_table.Table.from_config(config), 1, str(tmp_path))
  assert run.commands("model", "calibrated")[-1][-2:] == [
      "--run_once=false", "--run_once"]


TRAIN, ONE, TWO = ("yt8m-train", "3"), ("yt8m-eval", "20"), ("yt8m-eval", "2")


def test_rows_of_one_training_are_trained_once_and_measured_each(tmp_path):
  ran, outcomes = ablate(tmp_path)
  assert ran == [TRAIN, ONE, TWO, ("yt8m-train", "4"), ONE]
  assert [outcomes[name]["evaluation"] for name in ("one", "two", "other")] == [
      {"units": 3, "top_k": "20"}, {"units": 3, "top_k": "2"},
      {"units": 4, "top_k": "20"}]
  assert outcomes["two"]["settings"]["evaluate"] == {"top_k": 2}
  assert (outcomes["one"]["seconds"]["yt8m-train"]
          == outcomes["two"]["seconds"]["yt8m-train"])
  assert not models(tmp_path)
  assert ablate(tmp_path) == ([], {})


def test_a_calibrated_row_shares_the_training_and_measures_its_own_model(tmp_path):
  [one, *others] = CONFIG["rows"]
  config = {**CONFIG, "rows": [one, {**one, "name": "better", "paired_with": "one",
                                     "calibrate": {"num_folds": 4}}, *others]}
  calibrate = ("yt8m-calibrate", "4")
  ran, outcomes = ablate(tmp_path, rows=["one", "better"], config=config)
  assert ran == [TRAIN, ONE, calibrate, ONE]
  assert outcomes["better"]["settings"]["calibrate"] == {"num_folds": 4, "seed": 0}
  assert set(outcomes["better"]["seconds"]) == {
      "yt8m-train", "yt8m-calibrate", "yt8m-eval"}
  assert outcomes["better"]["evaluation"]["units"] == 3
  assert not models(tmp_path) and ablate(tmp_path, rows=["better"], config=config) == (
      [], {})
  ran, _ = ablate(tmp_path / "kept", rows=["better"], keep=True, config=config)
  assert ran == [TRAIN, calibrate, ONE]
  assert len(list((tmp_path / "kept").glob("*/*/*/*/checkpoint"))) == 2


def test_a_new_row_without_a_model_trains_again_and_leaves_the_others(tmp_path):
  ablate(tmp_path, rows=["one"])
  before = (tmp_path / "t" / "one" / "seed-0" / "result.json").stat().st_mtime_ns
  log = (tmp_path / "t" / "one" / "seed-0" / "log.txt").read_text()
  ran, outcomes = ablate(tmp_path, rows=["one", "two"])
  assert ran == [TRAIN, TWO] and set(outcomes) == {"two"}
  after = (tmp_path / "t" / "one" / "seed-0" / "result.json").stat().st_mtime_ns
  assert after == before
  assert (tmp_path / "t" / "one" / "seed-0" / "log.txt").read_text() == log


def test_a_kept_model_is_used_again_and_stays(tmp_path):
  ablate(tmp_path, rows=["two"], keep=True)
  assert models(tmp_path) == {"two"}
  ran, outcomes = ablate(tmp_path, rows=["one"], keep=False)
  assert ran == [ONE] and outcomes["one"]["evaluation"]["units"] == 3
  assert "yt8m-train" in outcomes["one"]["seconds"]
  assert models(tmp_path) == {"two"}


def test_models_are_deleted_that_a_kill_has_left(tmp_path, monkeypatch):
  def killed(train_dir):
    raise KeyboardInterrupt
  every = ablation_runs.make_runs(
      ablation_table.Table.from_config(CONFIG), 1, str(tmp_path / "t"))
  ablate(tmp_path, rows=["other"], keep=True)
  with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
    patch.setattr(experiment, "delete_checkpoints", killed)
    ablate(tmp_path, rows=["one"])
  ablation_runs.delete_measured_models(every)
  assert models(tmp_path) == {"one", "other"}  # The row "two" shares the first one.
  with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
    patch.setattr(experiment, "delete_checkpoints", killed)
    assert ablate(tmp_path, rows=["one", "two"])[0] == [TWO]
  ablation_runs.delete_measured_models(every)
  assert models(tmp_path) == {"other"}


def test_checkpoints_behind_a_link_are_not_deleted(tmp_path):
  ablate(tmp_path, rows=["one"], keep=True)
  theirs = tmp_path / "theirs"
  theirs.mkdir()
  (theirs / "model.ckpt-4.index").write_text("theirs")
  train_dir = tmp_path / "t" / "one" / "seed-0" / "model"
  (train_dir / ".worker-1").symlink_to(theirs)
  with pytest.raises(FileExistsError, match="worker-1 is a symbolic link to .*theirs"):
    experiment.delete_checkpoints(str(train_dir))
  assert os.listdir(theirs) == ["model.ckpt-4.index"]


def test_files_of_other_names_are_not_written_into(tmp_path):
  theirs = tmp_path / "theirs"
  theirs.write_text("precious")
  directory = tmp_path / "t" / "one" / "seed-0"
  directory.mkdir(parents=True)
  os.link(theirs, directory / "log.txt")
  ablate(tmp_path, rows=["one"])
  assert theirs.read_text() == "precious"
  assert "yt8m-train" in (directory / "log.txt").read_text()
  os.link(theirs, tmp_path / "t" / ".lock")
  with (pytest.raises(OSError, match="lock is a link, .*: delete it"),
        child_processes.lock(tmp_path / "t")):
    pass
  assert theirs.read_text() == "precious"


def test_results_of_other_records_are_not_mixed(tmp_path):
  table = ablation_table.Table.from_config(
      {**CONFIG, "common": {"train_data_pattern": "{data}/*"}})
  records.check_data_dir(table, str(tmp_path), f"{tmp_path}/a")
  records.check_data_dir(table, str(tmp_path), f"{tmp_path}/b/../a/")
  with pytest.raises(ValueError, match="holds results of --data_dir=.*/a, not of .*/b: "):
    records.check_data_dir(table, str(tmp_path), f"{tmp_path}/b")


def test_a_kept_model_of_other_flags_is_not_used(tmp_path):
  ablate(tmp_path, rows=["one"], keep=True)
  rows = [{**row, "flags": {"units": 5}} for row in CONFIG["rows"][:2]]
  ran, outcomes = ablate(tmp_path, config={**CONFIG, "rows": rows})
  assert ran == [("yt8m-train", "5"), ONE, TWO]
  assert outcomes["two"]["evaluation"]["units"] == 5
  assert not models(tmp_path)


def test_a_failed_evaluation_keeps_the_model_for_the_next_try(tmp_path):
  ran, outcomes = ablate(tmp_path, rows=["one", "two"], failing=["--top_k=20"])
  assert ran == [TRAIN, ONE, TWO]
  assert isinstance(outcomes["one"], child_processes.RunFailed)
  assert outcomes["two"]["evaluation"]["top_k"] == "2"
  ran, outcomes = ablate(tmp_path, rows=["one", "two"])
  assert ran == [ONE] and set(outcomes) == {"one"}
  assert not models(tmp_path)


def test_a_failed_training_fails_every_row_of_it(tmp_path):
  ran, outcomes = ablate(tmp_path, rows=["one", "two"], failing=["yt8m-train"])
  assert ran == [TRAIN]
  assert [str(error) for error in outcomes.values()] == ["yt8m-train failed"] * 2
  assert ablate(tmp_path, rows=["two"])[0] == [TRAIN, TWO]


def test_an_unfinished_training_is_not_measured_and_is_resumed(tmp_path):
  ran, outcomes = ablate(tmp_path, rows=["one", "two"], stopping=True)
  assert ran == [TRAIN]
  assert [str(error) for error in outcomes.values()] == [
      "yt8m-train ended with code 143"] * 2
  ran, outcomes = ablate(tmp_path, rows=["one", "two"])
  assert ran == [(*TRAIN, "resumed"), ONE, TWO]
  assert outcomes["one"]["evaluation"]["units"] == 3


def test_an_unfinished_training_of_other_flags_is_not_resumed(tmp_path):
  ablate(tmp_path, rows=["one"], stopping=True)
  rows = [{**row, "flags": {"units": 5}} for row in CONFIG["rows"][:2]]
  ran, _ = ablate(tmp_path, config={**CONFIG, "rows": rows})
  assert ran == [("yt8m-train", "5"), ONE, TWO]


def test_a_training_that_turns_out_unfinished_is_not_used(tmp_path):
  ablate(tmp_path, rows=["one"], keep=True)
  experiment.write_status(str(tmp_path / "t" / "one" / "seed-0" / "model"), False, 18)
  ran, _ = ablate(tmp_path, rows=["two"])
  assert ran[0][0] == "yt8m-train"


def test_stopping_is_no_failure_of_a_row(tmp_path):
  table = ablation_table.Table.from_config(CONFIG)
  runs = ablation_runs.make_runs(table, 1, str(tmp_path / "t"))
  runner = child_processes.Runner(num_threads=1)
  runner.stop()
  with pytest.raises(child_processes.Stopped):
    ablation_runs.execute(ablation_runs.make_trainings(runs, runs)[0], runner)


def test_a_pipe_among_the_events_is_not_waited_for(tmp_path):
  (tmp_path / "train").mkdir()
  os.mkfifo(tmp_path / "train" / "events.out.tfevents.1")
  with pytest.raises(OSError, match="it is a pipe"):
    ablation_runs.training_rate(str(tmp_path))
