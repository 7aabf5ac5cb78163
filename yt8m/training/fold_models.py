# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Trains a model again, each time without one part of the records: its folds.

    <directory>/folds.json       what the models were trained with
    <directory>/fold-<k>.txt     record files of fold k
    <directory>/others-<k>.txt   record files that model k is trained on
    <directory>/model-<k>        training directory
    <directory>/log-<k>.txt      output of the training
"""

import os
import pathlib
import time
from collections.abc import Sequence

from absl import logging

from yt8m.configs import experiment
from yt8m.core import checksum
from yt8m.core import child_processes
from yt8m.core import directories
from yt8m.core import files
from yt8m.core import paths
from yt8m.core import progress
from yt8m.core import types
from yt8m.core import vocabulary
from yt8m.eval.ablations import table

_SETTINGS = "folds.json"
# Each model has a directory of its own, starts anew, and needs permission again to run
# code of its author.
_NOT_REPEATED = ("train_dir", "train_data_pattern", "checkpoint", "resume",
                 "start_new_model", "allow_code", "vocabulary")
FOLDS = directories.Kind(
    "folder of fold models", _SETTINGS,
    ("fold-*.txt", "others-*.txt", "log-*.txt", f"model-*/{experiment.TRAIN_DIR.marker}",
     *(f"model-*/{pattern}" for pattern in experiment.TRAIN_DIR.patterns(""))))


def train(train_dir: str, num_folds: int, directory: str) -> list[tuple[str, str]]:
  """Trains a model like that of `train_dir` without each of the folds of its records.

  Fold k holds every `num_folds`-th of the record files, from the k-th on. A training that
  was stopped continues.

  Args:
    train_dir: Training directory. Its flags are used again.
    num_folds: Number of folds.
    directory: Directory for the models, new or of the same call.

  Returns:
    Pairs of the training directory of a model and the pattern of its fold.

  Raises:
    FileExistsError: `directory` holds something else.
    ValueError: There are fewer record files than folds, they are not found, `directory`
      is of another training, or a training failed.
  """
  if files.is_remote(directory):
    raise ValueError(f"--num_folds trains in a local folder, not in {directory}: name a "
                     "local --output_dir, or train the models yourself and give --fold.")
  config = experiment.Experiment.load(train_dir)
  record_files = records_of(train_dir)
  if len(record_files) < num_folds:
    raise ValueError(f"--num_folds={num_folds} is more than the record files of "
                     f"--train_dir={train_dir}, {len(record_files)}: give fewer.")
  # An empty path is an error on a command line.
  flags = {name: value for name, value in config.flags.items()
           if value not in (None, "") and name not in _NOT_REPEATED}
  table.check_flags(f"The training of {train_dir}", flags)
  if config.kept_names(train_dir):
    flags["vocabulary"] = os.path.join(train_dir, vocabulary.FILE)
  prepare(directory, {
      "flags": flags, "num_folds": num_folds,
      "files": [[name, checksum.of_ends(name)] for name in record_files]})
  num_threads = int(os.environ.get(child_processes.THREADS, 0))
  runner = child_processes.Runner(num_threads or child_processes.num_processors())
  try:
    return [_train(runner, flags, record_files[fold::num_folds], record_files, directory,
                   f"{fold + 1}", num_folds) for fold in range(num_folds)]
  finally:  # Also after a signal.
    runner.stop()


def records_of(train_dir: str) -> list[str]:
  """Returns the record files that a model was trained on.

  Args:
    train_dir: Training directory.

  Raises:
    ValueError: They are not found, or the name of one cannot stand in a list.
  """
  config = experiment.Experiment.load(train_dir)
  try:
    record_files = paths.match(str(config.flags.get("train_data_pattern", "")),
                               "--train_data_pattern of the training")
  except (ValueError, OSError) as error:
    raise ValueError(f"The records of --train_dir={train_dir} are not found: {error} "
                     "Start from the folder of its training, or give --fold.") from error
  for name in record_files:
    if name != name.strip() or len(name.splitlines()) != 1:
      raise ValueError(f"The record file {name!r} cannot stand in a list of files: "
                       "rename it without line breaks, and spaces at its ends.")
  return record_files


def prepare(directory: str, settings: types.Config) -> None:
  """Makes the directory of fold models, or checks that it is of the same training.

  Args:
    directory: Path of the directory.
    settings: Everything that the models depend on, for `folds.json`.

  Raises:
    FileExistsError: `directory` holds something else.
    ValueError: `directory` is of another training.
  """
  directories.check_replaceable(directory, FOLDS, "the directory of the fold models")
  path = os.path.join(directory, _SETTINGS)
  if os.path.exists(path):
    FOLDS.refuse_links(directory)
    if settings != files.read_json(path, kind="the settings of fold models",
                                   remedy=f"Delete {directory}"):
      raise ValueError(f"{directory} holds models of another training: delete it, or "
                       "name another --output_dir.")
    return
  os.makedirs(directory, exist_ok=True)
  files.write_json(path, settings)


def _train(runner: child_processes.Runner, flags: types.Config, fold: Sequence[str],
           record_files: Sequence[str], directory: str, number: str, num_folds: int
           ) -> tuple[str, str]:
  """Trains one model; returns its directory and the pattern of its fold."""
  def path(name):
    return os.path.join(directory, name)

  train_dir = path(f"model-{number}")
  names = path(f"fold-{number}.txt")
  others = path(f"others-{number}.txt")
  for list_path, listed in ((names, fold),
                            (others, sorted({*record_files} - {*fold}))):
    with files.atomic_write(list_path) as file:
      file.writelines(f"{name}\n" for name in listed)
  log = pathlib.Path(path(f"log-{number}.txt"))
  if not experiment.is_finished(train_dir):
    logging.info("Training without fold %s of %d, %d record files; its output: %s",
                 number, num_folds, len(fold), log)
    began = time.monotonic()
    log.unlink(missing_ok=True)
    with open(log, "w") as file:
      runner.run(["yt8m-train", *table.arguments(flags), f"--train_dir={train_dir}",
                  f"--train_data_pattern=@{others}"], file)
    logging.info("Trained in %s.", progress.format_seconds(time.monotonic() - began))
  return train_dir, f"@{names}"
