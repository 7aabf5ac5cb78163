# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The checkpoints of a training directory: which is the newest and which weights count.

A checkpoint of `--weight_averaging` holds, beside the weights, their averages.
"""

import os

import tensorflow as tf
from absl import logging

from yt8m.models.layers import variables

CONFIG = "config.json"
PREFIX = "model.ckpt"
# TensorFlow names a variable by the first of its places in a checkpoint: what is not
# averaged keeps the name it always had if this one sorts behind "weights".
AVERAGES = "weights_averaged"
NUM_AVERAGED = "num_averaged"


def latest(train_dir):
  """Path prefix of the newest checkpoint.

  Raises:
    FileNotFoundError: the directory has none yet.
  """
  path = tf.train.latest_checkpoint(train_dir)
  if path is None:
    raise FileNotFoundError(f"{train_dir} holds no checkpoint yet: wait for the first "
                            "(--export_model_steps), or train first.")
  return path


def step_of(path):
  return int(path.rsplit("-", 1)[1])


def restore_weights(model, path, averaged=True):
  """Loads the weights of a checkpoint into a model, and nothing else of it.

  Args:
    model: `VideoModel`, its variables created.
    path: path prefix of the checkpoint.
    averaged: takes the averages of `--weight_averaging` where the checkpoint has them,
      and else the weights as trained.

  Raises:
    ValueError: the checkpoint is of another model.
  """
  weights = variables.checkpoint_parts(model)["weights"]
  saved = [shape for name, shape in tf.train.list_variables(path)
           if name.startswith("weights/")]
  if len(saved) != len(weights):
    raise ValueError(f"Checkpoint {path} is of another model than its {CONFIG} says: it "
                     f"has {len(saved)} weights, the model has {len(weights)}.")
  part = part_to_evaluate(path) if averaged else "weights"
  try:
    status = tf.train.Checkpoint(**{part: weights}).restore(path)
    status.assert_existing_objects_matched()
    status.expect_partial()
  except (AssertionError, ValueError) as error:
    raise ValueError(f"Checkpoint {path} is of another model than its {CONFIG} says: "
                     f"{error}") from error


def inference_files(train_dir):
  """Names of the files of `train_dir` that prediction needs, for a model archive."""
  prefix = os.path.basename(latest(train_dir))
  return [CONFIG, "checkpoint"] + sorted(
      os.path.basename(path)
      for path in tf.io.gfile.glob(os.path.join(train_dir, f"{prefix}.*")))


def has_averages(path):
  """Whether a checkpoint was written with averages, whether or not they had begun."""
  return _num_averaged(path) is not None


def part_to_evaluate(path):
  """Which list of a checkpoint prediction wants: the averages, if they have begun."""
  count = _num_averaged(path)
  if count == 0:
    logging.warning("%s is from before --averaging_start_step: its weights are taken as "
                    "trained.", path)
  return AVERAGES if count else "weights"


def _num_averaged(path):
  reader = tf.train.load_checkpoint(path)
  name = f"{NUM_AVERAGED}/.ATTRIBUTES/VARIABLE_VALUE"
  return int(reader.get_tensor(name)) if reader.has_tensor(name) else None
