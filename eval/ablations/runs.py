# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The runs of an ablation: each measures one row with one seed.

    <output_dir>/<table>/<row>/seed-<n>/log.txt        commands and their output
    <output_dir>/<table>/<row>/seed-<n>/result.json    exists if the run is finished
    <output_dir>/<table>/<row>/seed-<n>/model          training directory
    <output_dir>/<table>/<row>/seed-<n>/calibrated     the same model, calibrated
    <output_dir>/<table>/<row>/seed-<n>/started.json   settings of a training that began
    <output_dir>/<table>/<row>/seed-<n>/training.json  exists if the model is trained
    <output_dir>/<table>/label_networks                those of all rows

Rows that differ only in their calibration or evaluation share the model of one of them.
"""

import dataclasses
import json
import logging
import os
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import child_processes
from yt8m.core import directories
from yt8m.core import files
from yt8m.core import types
from yt8m.eval.ablations import table as ablation_table

# Directory of a table. Training and evaluation look into the model themselves.
OUTPUT = directories.Kind("directory of yt8m-ablation", "results.csv", (
    ".lock", "data.json", "sample.json", "sample-log.txt", "sample/*",
    "label_networks/*", "*/seed-[0-9]*/*"))


@dataclasses.dataclass(frozen=True)
class Run:
  """One row of a table with one seed.

  Attributes:
    table: Table with the row.
    row: Row to measure.
    seed: `--seed` of the training.
    directory: Directory of the run.
  """
  table: ablation_table.Table
  row: ablation_table.Row
  seed: int
  directory: str

  @property
  def settings(self) -> types.Config:
    """Everything that the result depends on."""
    return self.table.settings(self.row, self.seed)

  @property
  def training_settings(self) -> types.Config:
    """Everything that the trained model depends on."""
    return {name: value for name, value in self.settings.items()
            if name not in ("calibrate", "evaluate")}

  @property
  def train_dir(self) -> str:
    return self.path("model")

  @property
  def cache_flag(self) -> str:
    """Flag for rows that learn from the same label sets. It does not change results."""
    table_dir = os.path.dirname(os.path.dirname(self.directory))
    return f"--label_network_cache={os.path.join(table_dir, 'label_networks')}"

  def path(self, name: str) -> str:
    """Returns the path of a file of the run."""
    return os.path.join(self.directory, name)

  def commands(self, train_dir: str, calibrated: str, **places: str
               ) -> tuple[list[str], ...]:
    """Returns the commands for training, calibration if there is one, and evaluation."""
    def flags(part):
      return ablation_table.arguments(self.settings[part], **places)

    train = ["yt8m-train", f"--train_dir={train_dir}", "--start_new_model",
             *flags("train")]
    if not self.row.calibrate:
      return train, ["yt8m-eval", f"--train_dir={train_dir}", *flags("evaluate"),
                     "--run_once"]
    return (train,
            ["yt8m-calibrate", f"--train_dir={train_dir}", f"--output_dir={calibrated}",
             "--overwrite", *flags("calibrate")],
            ["yt8m-eval", f"--train_dir={calibrated}", *flags("evaluate"), "--run_once"])

  def result(self) -> dict[str, Any]:
    """Returns the result of the run, empty if it is not finished."""
    return _read(self.path("result.json"), self.settings)

  def training(self) -> dict[str, Any]:
    """Returns the content of `training.json`, empty if there is no trained model."""
    return self._read_training("training.json", {True, None})

  def unfinished_training(self) -> dict[str, Any]:
    """Returns the content of `started.json`, empty if no training can be resumed."""
    return self._read_training("started.json", {False})

  def _read_training(self, name, finished):
    usable = (experiment.is_finished(self.train_dir) in finished
              and checkpoints.exist(self.train_dir))
    return _read(self.path(name), self.training_settings) if usable else {}


def _read(path, settings):
  """Returns the content of a JSON file, empty if it is missing or has other settings."""
  try:
    content = files.read_json(path, kind="a record of yt8m-ablation", remedy="Delete it")
  except (FileNotFoundError, ValueError):
    return {}
  return content if content.get("settings") == settings else {}


def _write(path, **content):
  files.write_json(path, content, indent=1)
  return content


@dataclasses.dataclass(frozen=True)
class Training:
  """Runs that share a model.

  Attributes:
    runs: All of these runs.
    todo: The runs to measure.
  """
  runs: list[Run]
  todo: list[Run]


def make_runs(table: ablation_table.Table, num_seeds: int, directory: str) -> list[Run]:
  """Returns the runs of all rows with seed 0, then with seed 1, and so on.

  Args:
    table: Table of the rows.
    num_seeds: Number of seeds.
    directory: Directory of the table.
  """
  return [Run(table, row, seed, os.path.join(directory, row.name, f"seed-{seed}"))
          for seed in range(num_seeds) for row in table.rows]


def make_trainings(runs: Sequence[Run], todo: Sequence[Run]) -> list[Training]:
  """Groups `runs` by their model; returns the groups with a run in `todo`."""
  groups = {}
  for run in runs:
    groups.setdefault(json.dumps(run.training_settings, sort_keys=True), []).append(run)
  trainings = [Training(group, [run for run in group if run in todo])
               for group in groups.values()]
  return [training for training in trainings if training.todo]


def execute(training: Training, runner: child_processes.Runner,
            keep_checkpoints: bool = False, **places: str,
            ) -> list[tuple[Run, dict[str, Any] | child_processes.RunFailed]]:
  """Trains a model, unless it exists, and evaluates it for each run.

  The model is deleted when all runs are measured, unless it was trained to be kept.

  Args:
    training: Runs that share the model.
    runner: Runner of the commands.
    keep_checkpoints: Whether to keep the model.
    **places: Values of the placeholders in flags.

  Returns:
    Pairs of a run and its result, or the error. Results are in `result.json` by then.

  Raises:
    Stopped: The runner was stopped.
  """
  for run in training.todo:
    os.makedirs(run.directory, exist_ok=True)
    # The log is written as a new file: the name could be a hard link to another one.
    _delete(run, "log.txt", "result.json")
  try:
    owner = (next((run for run in training.runs if run.training()), None)
             or _train(training.todo[0], runner, keep_checkpoints, **places))
  except child_processes.RunFailed as error:
    return [(run, error) for run in training.todo]
  outcomes = []
  for run in training.todo:
    try:
      outcomes.append((run, _evaluate(run, owner, runner, keep_checkpoints, **places)))
    except child_processes.RunFailed as error:
      outcomes.append((run, error))
  succeeded = all(isinstance(outcome, dict) for _, outcome in outcomes)
  if succeeded and not (keep_checkpoints or owner.training()["keep"]):
    experiment.delete_checkpoints(owner.train_dir)
    _delete_calibrated(training.runs)
  return outcomes


def delete_measured_models(runs: Sequence[Run]) -> None:
  """Deletes the models of runs that are all measured, unless they were to be kept.

  `execute` has deleted them, unless it was killed before.
  """
  for training in make_trainings(runs, runs):
    owners = [run for run in training.runs
              if _read(run.path("training.json"), run.training_settings)
              .get("keep") is False]
    if owners and all(run.result() for run in training.runs):
      for run in owners:
        experiment.delete_checkpoints(run.train_dir)
      _delete_calibrated(training.runs)


def _delete(run, *names):
  for name in names:
    pathlib.Path(run.path(name)).unlink(missing_ok=True)


def _delete_calibrated(runs):
  for run in runs:
    if run.row.calibrate:
      experiment.delete_checkpoints(run.path("calibrated"))


def _train(run, runner, keep, **places):
  """Trains the model of a run in its directory, or resumes training; returns the run."""
  command, *_ = run.commands(run.train_dir, "", **places)
  command.append(run.cache_flag)
  started = run.unfinished_training()
  if started:
    command.remove("--start_new_model")
  else:
    _delete(run, "training.json", "started.json")
  began = time.monotonic()
  try:
    _log_command(command, run, runner)
  finally:  # a stopped training is resumed, and its time counts
    seconds = started.get("seconds", 0) + time.monotonic() - began
    _write(run.path("started.json"), settings=run.training_settings, seconds=seconds)
  _write(run.path("training.json"), settings=run.training_settings,
         seconds={command[0]: seconds},
         train_examples_per_second=training_rate(run.train_dir), keep=keep)
  return run


def _evaluate(run, owner, runner, keep, **places):
  """Evaluates the model of the run `owner` with the settings of `run`."""
  calibrated = run.path("calibrated")
  _, *commands = run.commands(owner.train_dir, calibrated, **places)
  seconds = {}
  for command in commands:
    if command[0] == "yt8m-calibrate":
      command.append(run.cache_flag)
      if keep and run.settings["calibrate"].get("num_folds"):
        command.append("--keep_folds")
    began = time.monotonic()
    _log_command(command, run, runner)
    seconds[command[0]] = time.monotonic() - began
  evaluated = calibrated if run.row.calibrate else owner.train_dir
  path = max(pathlib.Path(evaluated, "eval").glob("*/metrics-*.json"),
             key=lambda path: path.stat().st_mtime_ns)
  evaluation = files.read_json(path, kind="an evaluation by yt8m-eval",
                               remedy="Delete it and run the command again")
  training = owner.training()
  return _write(
      run.path("result.json"), settings=run.settings, evaluation=evaluation,
      seconds={**training["seconds"], **seconds},
      train_examples_per_second=training["train_examples_per_second"])


def _log_command(command, run, runner):
  with open(run.path("log.txt"), "a") as log:
    runner.run(command, log)


def training_rate(train_dir: str) -> float | None:
  """Returns the examples per second between the first and the last progress line.

  The time before the first line includes the start, so it is left out, unless there is
  only this line. Without progress lines, the rate is None.
  """
  for path in pathlib.Path(train_dir, "train").glob("events*"):
    files.check_regular(path)  # A pipe would be waited for for ever.
  logging.getLogger("tensorboard").setLevel(logging.WARNING)
  events = event_accumulator.EventAccumulator(
      os.path.join(train_dir, "train"), {event_accumulator.TENSORS: 0}).Reload()
  if "examples_per_second" not in events.Tags()["tensors"]:
    return None
  rates = [float(tf.make_ndarray(event.tensor_proto))
           for event in events.Tensors("examples_per_second")]
  rates = rates[1:] or rates
  # The number of examples between lines is constant, so times add up and rates do not.
  return len(rates) / sum(1 / rate for rate in rates)
