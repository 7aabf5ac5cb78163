# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint of a training directory to use, and its weights.

A damaged checkpoint is never used: the newest good one before it is, with a warning. A
checkpoint of `--weight_averaging` holds the averages of the weights beside the weights.
"""

import math
import os
import re
import time
from collections.abc import Iterator
from collections.abc import Sequence

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import models
from yt8m.configs import best_checkpoint
from yt8m.configs import checkpoint_files
from yt8m.core.types import PathLike
from yt8m.models.layers import variables

CONFIG, STATUS = "config.json", "status.json"
PREFIX, step_of = checkpoint_files.PREFIX, checkpoint_files.step_of
SAVING = ".saving"  # folder for what is being saved
_SAVED = (checkpoint_files.LIST, f"{PREFIX}-[0-9]*.index", f"{PREFIX}-[0-9]*.data-*",
          f"{PREFIX}-[0-9]*.json")
# Patterns of what a killed training leaves; first of this version, then of older ones.
_OLD = f".tmp{8 * '[0-9a-f]'}"
LEFTOVERS = (f"{SAVING}/{PREFIX}-[0-9]*.*", f"{SAVING}/.{PREFIX}-[0-9]*.json.tmp*",
             f"{SAVING}/{PREFIX}-[0-9]*_temp/part-*",
             f"{PREFIX}-[0-9]*_temp/part-*", f"{CONFIG}{_OLD}", f"{STATUS}{_OLD}",
             f"{checkpoint_files.LIST}.tmp{32 * '[0-9a-f]'}")
# Patterns of what saving writes, into a training directory or the folder of a worker.
FILES = tuple(f"{folder}{name}" for folder in ("", ".worker-[0-9]*/")
              for name in (*_SAVED, *LEFTOVERS))
# TensorFlow names a variable after the first of its places in a checkpoint. This name
# sorts behind "weights", so that variables without an average keep their old names.
AVERAGES = "weights_averaged"
NUM_AVERAGED = "num_averaged"

# What `define_flag` defines belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()


def define_flag() -> None:
  """Defines `--checkpoint`, which has one meaning in all commands."""
  flags.DEFINE_string(
      "checkpoint", None, "Checkpoint of --train_dir to use: best, latest, its step, "
      "such as 1000, or its path prefix, such as model/model.ckpt-1000. Default: the "
      "best one, if training evaluated them (--eval_data_pattern), or else the newest "
      "good one. Training goes on from the newest good one.")


def exist(train_dir: PathLike) -> bool:
  """Returns whether a directory holds checkpoints, good or damaged."""
  return bool(_candidates(train_dir))


def find(train_dir: PathLike, name: str | None = None) -> str:
  """Returns the path prefix of a checkpoint whose files are good.

  Args:
    train_dir: Directory that `yt8m-train` wrote.
    name: "best", "latest", step or path prefix of the checkpoint, the value of
      `--checkpoint`. None: the best one, if that is known, or else the newest good one.

  Raises:
    FileNotFoundError: The directory has no checkpoint yet, or not this one.
    ValueError: This one, or every one, is damaged.
  """
  if name in (None, "best"):
    return _best(train_dir, required=name is not None)
  if name == "latest":
    return latest(train_dir)
  path = name.removesuffix(".index")
  if path.isdecimal():
    path = checkpoint_files.of_step(train_dir, int(path))
  if not (re.search("-[0-9]+$", path) and tf.io.gfile.isdir(os.path.dirname(path) or ".")
          and checkpoint_files.parts(path)):
    found = [str(step_of(path)) for path in reversed(_candidates(train_dir))]
    raise FileNotFoundError(
        f"--checkpoint={name} does not exist: give a step or a path prefix. {train_dir} "
        f"has {', '.join(found) or 'no checkpoint'}.")
  if reason := checkpoint_files.damage(path):
    raise ValueError(f"--checkpoint={name} is damaged: {reason}. Name another one, or "
                     "leave --checkpoint out to use the newest good one.")
  return path


def _best(train_dir: PathLike, required: bool) -> str:
  """Returns the best checkpoint; the newest good one if it is unknown or damaged.

  Raises:
    FileNotFoundError: It is `required`, and unknown.
    ValueError: It is `required`, and damaged.
  """
  best = best_checkpoint.Best.load(train_dir)
  if best is None:
    if required:
      raise FileNotFoundError(
          f"--checkpoint=best: {train_dir} has no {best_checkpoint.FILE}, because "
          "training did not evaluate its checkpoints. Train with --eval_data_pattern, or "
          "give --checkpoint=latest or a step.")
    return latest(train_dir)
  path = checkpoint_files.of_step(train_dir, best.step)
  reason = (checkpoint_files.damage(path) if checkpoint_files.parts(path)
            else "its files are missing")
  if reason is None:
    logging.info("The best checkpoint of %s: %s.", train_dir, best)
    return path
  if required:
    raise ValueError(f"--checkpoint=best, {path}, is damaged: {reason}. Give "
                     "--checkpoint=latest or a step.")
  logging.warning("The best checkpoint, %s, is damaged: %s. The newest good one is used.",
                  path, reason)
  return latest(train_dir)


def latest(train_dir: PathLike) -> str:
  """Returns the path prefix of the newest good checkpoint.

  If the list of the checkpoints is lost, they are found by their names. A warning names
  the newer ones, which are damaged.

  Raises:
    FileNotFoundError: The directory has no checkpoint yet.
    ValueError: Every one is damaged.
  """
  candidates, damaged = _candidates(train_dir), []
  if not candidates:
    raise FileNotFoundError(f"{train_dir} holds no checkpoint yet: wait for the first "
                            "(--export_model_steps), or train first.")
  listed = list(checkpoint_files.listed(train_dir))
  if listed and listed[-1] not in candidates:
    damaged.append(f"{listed[-1]} (its files are missing)")
  if not listed:
    logging.warning("%s has no readable list of its checkpoints (the file %s): they are "
                    "found by their names.", train_dir, checkpoint_files.LIST)
  for path in candidates:
    reason = checkpoint_files.damage(path)
    if reason is None:
      if damaged:
        logging.warning("Damaged: %s. Using %s instead.", "; ".join(damaged), path)
      return path
    damaged.append(f"{path} ({reason})")
  raise ValueError(f"Every checkpoint of {train_dir} is damaged: {'; '.join(damaged)}. "
                   "Restore one from a copy, or train again with --start_new_model.")


def watch(train_dir: PathLike, interval_secs: float, timeout_secs: float | None
          ) -> Iterator[str]:
  """Yields the path prefix of the newest good checkpoint, again when there is another.

  Args:
    train_dir: Directory that `yt8m-train` writes, or will write.
    interval_secs: Number of seconds between two looks.
    timeout_secs: Number of seconds without a new checkpoint after which it ends; None:
      never.
  """
  seen, last = None, None
  deadline = time.monotonic() + (timeout_secs or math.inf)
  while True:
    newest = next(iter(_candidates(train_dir)), None)
    # Only then, as checking a checkpoint means reading it.
    if newest not in (seen, None):
      seen, path = newest, latest(train_dir)
      if path != last:
        last = path
        yield path
        deadline = time.monotonic() + (timeout_secs or math.inf)
    if time.monotonic() + interval_secs > deadline:
      return
    time.sleep(interval_secs)


def _candidates(train_dir: PathLike) -> list[str]:
  """Returns the listed checkpoints that have files, then the others, newest first."""
  listed = [path for path in reversed(checkpoint_files.listed(train_dir))
            if checkpoint_files.parts(path)]
  return list(dict.fromkeys([*listed, *checkpoint_files.finished(train_dir)]))


def restore_weights(model: models.VideoModel, path: str, averaged: bool = True) -> None:
  """Loads the weights of a checkpoint into a model.

  Args:
    model: `VideoModel` with its variables created.
    path: Path prefix of the checkpoint.
    averaged: Whether to prefer the averages of `--weight_averaging`, if the checkpoint
      has them, to the weights themselves.

  Raises:
    ValueError: The checkpoint belongs to another model.
  """
  weights = variables.checkpoint_parts(model)["weights"]
  num_saved = sum(name.startswith("weights/") for name in checkpoint_files.reader(
      path).get_variable_to_shape_map())
  wrong = f"Checkpoint {path} is of another model than its {CONFIG} says"
  if num_saved != len(weights):
    raise ValueError(f"{wrong}: it has {num_saved} weights, the model has "
                     f"{len(weights)}.")
  part = part_to_evaluate(path) if averaged else "weights"
  try:
    status = tf.train.Checkpoint(**{part: weights}).restore(
        checkpoint_files.readable(path))
    status.assert_existing_objects_matched()
    status.expect_partial()
  except (AssertionError, ValueError, tf.errors.OpError) as error:
    raise ValueError(f"{wrong}: {error}") from error


def inference_files(train_dir: PathLike, path: str | None = None) -> list[str]:
  """Returns the names of the files that prediction needs, for a model archive.

  Args:
    train_dir: Directory that `yt8m-train` wrote.
    path: Path prefix of the checkpoint, in this directory; None: the newest good one.
      The list of the checkpoints is left out if it names another one.
  """
  path = path or latest(train_dir)
  listed = list(checkpoint_files.listed(train_dir))
  names = sorted(map(os.path.basename, checkpoint_files.parts(path)))
  return [CONFIG, *([checkpoint_files.LIST] if listed[-1:] == [path] else []), *names]


def has_variable(path: str, name: str) -> bool:
  """Returns whether a checkpoint holds a variable, given the name of its part."""
  return checkpoint_files.reader(path).has_tensor(_key(name))


def read_number(path: str, name: str) -> int | None:
  """Returns the value of a counter in a checkpoint; None if it has none."""
  reader = checkpoint_files.reader(path)
  return int(reader.get_tensor(_key(name))) if reader.has_tensor(_key(name)) else None


def has_shapes(path: str, part: str, values: Sequence[tf.Variable]) -> bool:
  """Returns whether a part of a checkpoint has the number and shapes of these values."""
  shapes = checkpoint_files.reader(path).get_variable_to_shape_map()
  saved = {name: list(shape) for name, shape in shapes.items()
           if name.startswith(f"{part}/")}
  return saved == {_key(f"{part}/{index}"): value.shape.as_list()
                   for index, value in enumerate(values)}


def has_averages(path: str) -> bool:
  """Whether a checkpoint was written with averages, even if averaging had not begun."""
  return has_variable(path, NUM_AVERAGED)


def part_to_evaluate(path: str) -> str:
  """Returns the part to predict with: the averages, if averaging has begun."""
  count = read_number(path, NUM_AVERAGED)
  if count == 0:
    logging.warning("%s was written before --averaging_start_step: its weights are used "
                    "as they are, without averaging.", path)
  return AVERAGES if count else "weights"


def _key(name: str) -> str:
  return f"{name}/.ATTRIBUTES/VARIABLE_VALUE"
