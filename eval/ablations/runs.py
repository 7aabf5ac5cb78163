# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The runs of an ablation: each measures one row with one seed.

    <output_dir>/<table>/<row>/seed-<n>/log.txt        commands and what they said
    <output_dir>/<table>/<row>/seed-<n>/result.json    exists if the run is finished
    <output_dir>/<table>/<row>/seed-<n>/model          what yt8m-train wrote
    <output_dir>/<table>/<row>/seed-<n>/started.json   settings of a training that began
    <output_dir>/<table>/<row>/seed-<n>/training.json  exists if the model is trained

Rows that differ in their evaluation alone share the model of one of them.
"""

import contextlib
import dataclasses
import glob
import json
import logging
import os
import time

import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import files
from yt8m.eval.ablations import processes as ablation_processes
from yt8m.eval.ablations import table as ablation_table


@dataclasses.dataclass(frozen=True)
class Run:
  """One row of a table with one seed.

  Attributes:
    table: the `Table`.
    row: its `Row`.
    seed: `--seed` of the training.
    directory: where the run writes.
  """
  table: ablation_table.Table
  row: ablation_table.Row
  seed: int
  directory: str

  @property
  def settings(self):
    """What the result depends on."""
    return self.table.settings(self.row, self.seed)

  @property
  def training_settings(self):
    """What the model depends on."""
    return {name: value for name, value in self.settings.items() if name != "evaluate"}

  @property
  def train_dir(self):
    return os.path.join(self.directory, "model")

  def commands(self, train_dir, **places):
    """`[[command, argument, …], …]`: training, then evaluation."""
    settings = self.settings
    return [
        ["yt8m-train", f"--train_dir={train_dir}", "--start_new_model",
         *ablation_table.arguments(settings["train"], **places)],
        ["yt8m-eval", f"--train_dir={train_dir}", "--run_once",
         *ablation_table.arguments(settings["evaluate"], **places)]]

  def result(self):
    """What `execute` wrote, or None if the run is not finished with these settings."""
    return _read(self.path("result.json"), self.settings)

  def training(self):
    """What `execute` wrote of the model in `train_dir`, or None if there is none."""
    trained = _read(self.path("training.json"), self.training_settings)
    if not trained or experiment.is_finished(self.train_dir) is False:
      return None
    return trained if tf.train.latest_checkpoint(self.train_dir) else None

  def unfinished_training(self):
    """Content of `started.json` if training can be resumed with these settings."""
    started = _read(self.path("started.json"), self.training_settings)
    if not started or experiment.is_finished(self.train_dir) is not False:
      return None
    return started if tf.train.latest_checkpoint(self.train_dir) else None

  def path(self, name):
    return os.path.join(self.directory, name)


def _read(path, settings):
  """What a JSON file holds, or None if it is not there or of other settings."""
  try:
    with open(path) as file:
      entries = json.load(file)
  except (FileNotFoundError, json.JSONDecodeError):
    return None
  return entries if entries.get("settings") == settings else None


def _write(path, **entries):
  with files.atomic_write(path) as file:
    json.dump(entries, file, indent=1)
  return entries


@dataclasses.dataclass(frozen=True)
class Training:
  """Runs that share a model.

  Attributes:
    runs: all of them.
    todo: those to measure.
  """
  runs: list
  todo: list


def make_runs(table, rows, num_seeds, output_dir):
  """Every row with seed 0, then every row with seed 1, …"""
  return [Run(table, row, seed,
              os.path.join(output_dir, table.name, row.name, f"seed-{seed}"))
          for seed in range(num_seeds) for row in rows]


def make_trainings(runs, todo):
  """The `Training`s of `runs` that have something to do."""
  groups = {}
  for run in runs:
    groups.setdefault(json.dumps(run.training_settings, sort_keys=True), []).append(run)
  trainings = [Training(group, [run for run in group if run in todo])
               for group in groups.values()]
  return [training for training in trainings if training.todo]


def execute(training, processes, keep_checkpoints=False, **places):
  """Trains a model, unless it is there, and evaluates it for each run.

  The model is deleted when everything is measured, unless it was trained to be kept.

  Returns:
    `[(run, result or RunFailed)]`; a result is in its result.json by then.

  Raises:
    Stopped: `processes` were stopped.
  """
  for run in training.todo:
    os.makedirs(run.directory, exist_ok=True)
    open(run.path("log.txt"), "w").close()
    with contextlib.suppress(FileNotFoundError):
      os.remove(run.path("result.json"))
  try:
    owner = (next((run for run in training.runs if run.training()), None)
             or train(training.todo[0], processes, keep_checkpoints, **places))
  except ablation_processes.RunFailed as error:
    return [(run, error) for run in training.todo]
  outcomes = []
  for run in training.todo:
    try:
      outcomes.append((run, evaluate(run, owner, processes, **places)))
    except ablation_processes.RunFailed as error:
      outcomes.append((run, error))
  measured = all(isinstance(outcome, dict) for _, outcome in outcomes)
  if measured and not (keep_checkpoints or owner.training()["keep"]):
    _delete_checkpoints(owner.train_dir)
  return outcomes


def _delete_checkpoints(train_dir):
  for name in (checkpoints.PREFIX + "-*", "checkpoint"):
    for checkpoint in glob.glob(os.path.join(glob.escape(train_dir), name)):
      os.remove(checkpoint)


def train(run, processes, keep, **places):
  """Trains the model of a run in its directory, or resumes training; returns the run."""
  command, _ = run.commands(run.train_dir, **places)
  started = run.unfinished_training()
  if started:
    command.remove("--start_new_model")
  else:
    started = {"seconds": 0}
    for name in ("training.json", "started.json"):
      with contextlib.suppress(FileNotFoundError):
        os.remove(run.path(name))
    _delete_checkpoints(run.train_dir)
  began = time.monotonic()
  try:
    _execute(command, run, processes)
  finally:  # a stopped training is resumed, and its time counts
    seconds = started["seconds"] + time.monotonic() - began
    _write(run.path("started.json"), settings=run.training_settings, seconds=seconds)
  _write(run.path("training.json"), settings=run.training_settings,
         seconds={command[0]: seconds},
         train_examples_per_second=training_rate(run.train_dir), keep=keep)
  return run


def evaluate(run, owner, processes, **places):
  """Evaluates the model of the run `owner` as `run` wants it; returns its result."""
  _, command = run.commands(owner.train_dir, **places)
  seconds = _execute(command, run, processes)
  [metrics] = glob.glob(
      os.path.join(glob.escape(owner.train_dir), "eval", "metrics-*.json"))
  with open(metrics) as file:
    evaluation = json.load(file)
  trained = owner.training()
  return _write(
      run.path("result.json"), settings=run.settings, evaluation=evaluation,
      seconds={**trained["seconds"], **seconds},
      train_examples_per_second=trained["train_examples_per_second"])


def _execute(command, run, processes):
  """Runs a command; returns `{its name: seconds}`."""
  began = time.monotonic()
  with open(run.path("log.txt"), "a") as log:
    processes.run(command, log)
  return {command[0]: time.monotonic() - began}


def training_rate(train_dir):
  """Examples a second, from the first progress line to the last; None without lines.

  The time before the first line goes into starting; a run with one line has no other.
  """
  logging.getLogger("tensorboard").setLevel(logging.WARNING)
  events = event_accumulator.EventAccumulator(
      os.path.join(train_dir, "train"), {event_accumulator.TENSORS: 0}).Reload()
  if "train/examples_per_second" not in events.Tags()["tensors"]:
    return None
  rates = [float(tf.make_ndarray(event.tensor_proto))
           for event in events.Tensors("train/examples_per_second")]
  rates = rates[1:] or rates
  # Equal numbers of examples lie between lines, so that times, not rates, add up.
  return len(rates) / sum(1 / rate for rate in rates)


def sample_command(table, path):
  """`[command, argument, …]` that writes the sample data set of a table."""
  return ["yt8m-sample-data", f"--output_dir={path}",
          *ablation_table.arguments(table.sample_data)]


def prepare_sample_data(table, directory, processes):
  """Writes the sample data set of a table unless it is there; returns its path."""
  path = os.path.join(directory, "sample")
  marker = os.path.join(directory, "sample.json")
  if os.path.exists(marker):
    with open(marker) as file:
      if json.load(file) == table.sample_data:
        return path
    os.remove(marker)
  command = sample_command(table, path)
  if os.path.exists(path):
    command.append("--overwrite")
  with open(os.path.join(directory, "sample-log.txt"), "w") as log:
    processes.run(command, log)
  with files.atomic_write(marker) as file:
    json.dump(table.sample_data, file)
  return path
