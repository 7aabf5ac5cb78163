# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The checkpoints of a training directory: the newest one, and its weights.

A checkpoint of `--weight_averaging` holds the averages of the weights beside the weights.
"""

import os

import tensorflow as tf
from absl import logging

from yt8m import models
from yt8m.core.types import PathLike
from yt8m.models.layers import variables

CONFIG = "config.json"
PREFIX = "model.ckpt"
# Patterns of what saving writes; a save that is killed leaves the last of them.
FILES = ("checkpoint", f"{PREFIX}-[0-9]*.index", f"{PREFIX}-[0-9]*.data-*",
         f"{PREFIX}-[0-9]*_temp/*")
# TensorFlow names a variable after the first of its places in a checkpoint. This name
# sorts behind "weights", so that variables without an average keep their old names.
AVERAGES = "weights_averaged"
NUM_AVERAGED = "num_averaged"


def latest(train_dir: PathLike) -> str:
  """Returns the path prefix of the newest checkpoint.

  Raises:
    FileNotFoundError: The directory has no checkpoint yet.
  """
  path = tf.train.latest_checkpoint(train_dir)
  if path is None:
    raise FileNotFoundError(f"{train_dir} holds no checkpoint yet: wait for the first "
                            "(--export_model_steps), or train first.")
  return path


def forget_later(directory: str) -> None:
  """Removes checkpoints after the newest one from the list, but keeps their files.

  The list names later ones if a user has set the newest one back. Training from there
  saves those steps again, and it must not write over a checkpoint that is listed.
  """
  state = tf.train.get_checkpoint_state(directory)
  if state is None:
    return
  paths = list(state.all_model_checkpoint_paths)
  newest = step_of(state.model_checkpoint_path)
  kept = [path for path in dict.fromkeys(paths) if step_of(path) <= newest]
  if kept != paths:
    tf.compat.v1.train.update_checkpoint_state(
        directory, state.model_checkpoint_path, kept)


def step_of(path: str) -> int:
  """Returns the step of a checkpoint, which its path prefix ends with."""
  return int(path.rsplit("-", 1)[1])


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
  num_saved = sum(name.startswith("weights/")
                  for name, _ in tf.train.list_variables(path))
  wrong = f"Checkpoint {path} is of another model than its {CONFIG} says"
  if num_saved != len(weights):
    raise ValueError(f"{wrong}: it has {num_saved} weights, the model has "
                     f"{len(weights)}.")
  part = part_to_evaluate(path) if averaged else "weights"
  try:
    status = tf.train.Checkpoint(**{part: weights}).restore(path)
    status.assert_existing_objects_matched()
    status.expect_partial()
  except (AssertionError, ValueError) as error:
    raise ValueError(f"{wrong}: {error}") from error


def inference_files(train_dir: PathLike) -> list[str]:
  """Returns the names of the files that prediction needs, for a model archive."""
  paths = tf.io.gfile.glob(f"{latest(train_dir)}.*")
  return [CONFIG, "checkpoint", *sorted(map(os.path.basename, paths))]


def has_averages(path: str) -> bool:
  """Whether a checkpoint was written with averages, even if averaging had not begun."""
  return _num_averaged(path) is not None


def part_to_evaluate(path: str) -> str:
  """Returns the part to predict with: the averages, if averaging has begun."""
  count = _num_averaged(path)
  if count == 0:
    logging.warning("%s was written before --averaging_start_step: its weights are used "
                    "as they are, without averaging.", path)
  return AVERAGES if count else "weights"


def _num_averaged(path: str) -> int | None:
  reader = tf.train.load_checkpoint(path)
  name = f"{NUM_AVERAGED}/.ATTRIBUTES/VARIABLE_VALUE"
  return int(reader.get_tensor(name)) if reader.has_tensor(name) else None
