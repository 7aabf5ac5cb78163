# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The runs of an ablation: each trains and evaluates one row with one seed.

    <output_dir>/<table>/<row>/seed-<n>/log.txt       commands and what they said
    <output_dir>/<table>/<row>/seed-<n>/result.json   exists if the run is finished
    <output_dir>/<table>/<row>/seed-<n>/model         what yt8m-train wrote
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

from yt8m import experiment
from yt8m import files
from yt8m.eval import ablation_table


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
    return self.table.settings(self.row, self.seed)

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
    try:
      with open(os.path.join(self.directory, "result.json")) as file:
        result = json.load(file)
    except (FileNotFoundError, json.JSONDecodeError):
      return None
    return result if result.get("settings") == self.settings else None


def make_runs(table, rows, num_seeds, output_dir):
  """Every row with seed 0, then every row with seed 1, …"""
  return [Run(table, row, seed,
              os.path.join(output_dir, table.name, row.name, f"seed-{seed}"))
          for seed in range(num_seeds) for row in rows]


def execute(run, processes, keep_checkpoints=False, **places):
  """Trains and evaluates; returns the result, which is then in result.json too.

  Raises:
    RunFailed: a command failed.
    Stopped: `processes` were stopped.
  """
  os.makedirs(run.directory, exist_ok=True)
  path = os.path.join(run.directory, "result.json")
  with contextlib.suppress(FileNotFoundError):
    os.remove(path)
  train_dir = os.path.join(run.directory, "model")
  seconds = {}
  with open(os.path.join(run.directory, "log.txt"), "w") as log:
    for command in run.commands(train_dir, **places):
      began = time.monotonic()
      processes.run(command, log)
      seconds[command[0]] = time.monotonic() - began
  [metrics] = glob.glob(os.path.join(glob.escape(train_dir), "eval", "metrics-*.json"))
  with open(metrics) as file:
    evaluation = json.load(file)
  result = {"settings": run.settings, "evaluation": evaluation, "seconds": seconds,
            "train_examples_per_second": training_rate(train_dir)}
  if not keep_checkpoints:
    for name in (experiment.CHECKPOINT + "-*", "checkpoint"):
      for checkpoint in glob.glob(os.path.join(glob.escape(train_dir), name)):
        os.remove(checkpoint)
  with files.atomic_write(path) as file:
    json.dump(result, file, indent=1)
  return result


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
