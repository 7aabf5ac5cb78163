# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Going on from a checkpoint: what has changed since, and reading its variables.

A run goes on exactly if it sees each example of an epoch once, in the order of an
uninterrupted run. The manifest of a checkpoint holds what that depends on:

    flags        flags of the run that wrote it
    files        names and bytes of the record files
    pipelines    number of workers, among which the records are divided
    order        how the records of an epoch are shuffled
"""

import concurrent.futures
import json
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.core.types import Config
from yt8m.data import epochs
from yt8m.models import losses
from yt8m.models import named_losses
from yt8m.training import optimizers
from yt8m.training import weight_averaging

MODES = ("exact", "approximate")

# Flags that decide which examples come next, or which variables there are.
_EXACT = ("seed", "num_readers", "shuffle_buffer", "precision", "optimizer",
          "skip_bad_records", "freeze")
# Flags that matter only at other moments, or that are compared in other ways: model flags
# by `experiment.check_same_model`, records by their files.
_ELSEWHERE = {
    "train_dir", "start_new_model", "resume", "checkpoint", "show_config", "recipe",
    "model", "num_classes", *model_flags.MODEL_FLAGS, "feature_names", "feature_sizes",
    "feature_dtypes", "reader", "frame_features", "segment_labels", "train_data_pattern",
    "export_model_steps", "save_checkpoint_secs", "log_steps", "log_device_placement",
    "start_from_prior", "prior_examples", "label_sets", "label_sets_exclude"}
_STATS_AT_A_TIME = 16
_SHOWN = 3  # names of files in a message


def settings(label_loss: str, optimizer: str, hparams: Mapping[str, Config]) -> Config:
  """Returns all hyperparameters of loss and optimizer as flags, to compare them.

  Args:
    label_loss: Value of `--label_loss`.
    optimizer: Value of `--optimizer`.
    hparams: Those that are not the default ones, under `label_loss` and `optimizer`.
  """
  entries = {"label_loss": named_losses.hyperparameters(losses.LOSSES[label_loss]),
             "optimizer": optimizers.hyperparameters(optimizers.find(optimizer))}
  return {f"set={part}.{name}": str(hparams[part].get(name, parameter.default))
          for part, parameters in entries.items()
          for name, parameter in parameters.items()}


def describe(flags: Config, files: Sequence[str], pipelines: int) -> Config:
  """Returns the entry `training` of a manifest.

  Args:
    flags: Flags of `yt8m-train` and their values.
    files: Paths of the record files.
    pipelines: Number of workers.
  """
  with concurrent.futures.ThreadPoolExecutor(_STATS_AT_A_TIME) as pool:
    sizes = pool.map(lambda path: tf.io.gfile.stat(path).length, files)
    # Below their common folder, so that the records can be moved.
    start = os.path.commonprefix(list(files)).rfind("/") + 1
    return {"flags": flags, "pipelines": pipelines, "order": epochs.order(files),
            "files": {path[start:]: size
                      for path, size in zip(files, sizes, strict=True)}}


def find(train_dir: str, name: str | None, now: Config, mode: str, chief: bool
         ) -> str | None:
  """Returns the path prefix of the checkpoint to go on from; None if there is none yet.

  It must be called before `config.json` is written: for checkpoints of older versions it
  says what they were trained with.

  Args:
    train_dir: Training directory.
    name: Value of `--checkpoint`.
    now: What `describe` returns for this run.
    mode: One of `MODES`.
    chief: Whether this process may write to the directory.

  Raises:
    ValueError: Every checkpoint is damaged, or this run cannot go on exactly.
  """
  if name is None and not checkpoints.exist(train_dir):
    return None
  path = checkpoints.find(train_dir, name or "latest")
  if os.path.realpath(os.path.dirname(path)) != os.path.realpath(train_dir):
    raise ValueError(f"--checkpoint={name} is not in --train_dir={train_dir}: training "
                     "goes on only from a checkpoint of its own directory.")
  path = os.path.join(train_dir, os.path.basename(path))
  if chief:
    _adopt(path, train_dir)
  check(path, now, mode)
  return path


def check(path: str, now: Config, mode: str) -> None:
  """Logs what has changed since a checkpoint was written.

  Args:
    path: Path prefix of the checkpoint.
    now: What `describe` returns for this run.
    mode: One of `MODES`.

  Raises:
    ValueError: This run cannot go on exactly, and the mode is not `approximate`.
  """
  before = _training_of(path)
  now = json.loads(json.dumps(now))  # as it is read from a manifest
  inexact, others = [], []
  flags = before.get("flags", {})
  for name in sorted({*flags} & {*now["flags"]} - _ELSEWHERE):
    if flags[name] != now["flags"][name]:
      change = f"--{name} was {flags[name]} and is {now['flags'][name]}"
      (inexact if name in _EXACT else others).append(change)
  inexact += _changes_of_files(before.get("files"), now["files"])
  if before.get("pipelines", now["pipelines"]) != now["pipelines"]:
    inexact.append(
        f"the number of workers was {before['pipelines']} and is {now['pipelines']}")
  # Versions before the manifest had this entry knew only the buffer.
  order = before.get("order", "buffer")
  if order != now["order"] and checkpoints.read_number(path, "epoch_step"):
    inexact.append(f"the records of an epoch were shuffled in a {order} and are shuffled "
                   f"in {now['order']}, and the checkpoint is in the middle of an epoch")
  if inexact and mode != "approximate":
    raise ValueError(
        f"Training cannot go on exactly from {path}: {'; '.join(inexact)}. Undo that, or "
        "add --resume=approximate: it goes on with the same weights and the same number "
        "of examples, but examples of this epoch may be left out or repeated.")
  if inexact or others:
    logging.warning("Changed since %s: %s.%s", path, "; ".join([*inexact, *others]),
                    " Training goes on approximately." if inexact else "")


def batch_size_of(path: str, default: int) -> int:
  """Returns the batch size that a checkpoint was written with, if it is known."""
  return int(_training_of(path).get("flags", {}).get("batch_size", default))


def restore(path: str, checkpoint: tf.train.Checkpoint,
            parts: Mapping[str, Any],
            averages: weight_averaging.WeightAverages | None = None,
            approximate: bool = False) -> None:
  """Reads the variables of a checkpoint.

  Args:
    path: Path prefix of the checkpoint.
    checkpoint: What is saved from now on, for its number of saves.
    parts: Parts to read, without the averages. Those that older versions did not save
      may be missing.
    averages: Averages to read; they begin now if the checkpoint has none.
    approximate: Whether an optimizer whose state does not fit starts anew.

  Raises:
    ValueError: The checkpoint does not fit, or it is damaged.
  """
  parts = dict(parts)
  if not checkpoints.has_variable(path, "epoch_examples"):
    del parts["epoch_examples"]
  if averages and checkpoints.has_averages(path):
    parts |= averages.checkpoint_parts()
  if approximate and not checkpoints.has_shapes(path, "optimizer", parts["optimizer"]):
    logging.warning("The state of the optimizer in %s does not fit: it starts anew.",
                    path)
    del parts["optimizer"]
  try:
    status = tf.train.Checkpoint(**parts).restore(checkpoint_files.readable(path))
    status.assert_existing_objects_matched().expect_partial()
  except (AssertionError, ValueError, tf.errors.OpError) as error:
    raise ValueError(
        f"Checkpoint {path} does not fit this model and optimizer: choose another "
        f"--train_dir, or add --start_new_model. ({error})") from error
  if (saves := checkpoints.read_number(path, "save_counter")) is not None:
    checkpoint.save_counter.assign(saves)


def _adopt(path, train_dir):
  """Gives a checkpoint of an older version a manifest, from `config.json`."""
  flags = {}
  if tf.io.gfile.exists(os.path.join(train_dir, experiment.CONFIG)):
    flags = experiment.Experiment.load(train_dir).flags
  checkpoint_files.adopt(path, {"flags": flags})


def _training_of(path):
  manifest = checkpoint_files.Manifest.load(path)
  return manifest.training if manifest else {}


def _changes_of_files(before, now):
  if before is None:
    return []
  changes = []
  for what, names in (
      ("record files are missing", before.keys() - now.keys()),
      ("record files are new", now.keys() - before.keys()),
      ("record files have another size",
       {name for name in before.keys() & now.keys() if before[name] != now[name]})):
    if names:
      shown = ", ".join(sorted(names)[:_SHOWN]) + ", …" * (len(names) > _SHOWN)
      changes.append(f"{len(names)} {what} ({shown})")
  return changes
