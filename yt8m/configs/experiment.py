# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A training directory: which model it holds, its checkpoints, and how to load it.

    <train_dir>/config.json            model, features and flags
    <train_dir>/model.ckpt-<step>.*    checkpoints
    <train_dir>/checkpoint             the list of them
    <train_dir>/status.json            whether training has finished
    <train_dir>/train, eval            TensorBoard scalars
"""

import dataclasses
import json
import os

import tensorflow as tf
from absl import logging

from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import inference_hparams
from yt8m.core import feature_spec
from yt8m.core import files

CONFIG = checkpoints.CONFIG
STATUS = "status.json"


@dataclasses.dataclass(frozen=True)
class Experiment:
  """What `config.json` says, so that no flag need be repeated after training.

  Attributes:
    model: config of the `VideoModel`.
    max_frames: frames of a video that the reader keeps.
    flags: every flag of the training command, for the record.
  """
  model: dict
  max_frames: int = 300
  flags: dict = dataclasses.field(default_factory=dict)

  @property
  def num_classes(self):
    return self.model["num_classes"]

  @property
  def feature_spec(self):
    return feature_spec.FeatureSpec.from_config(self.model["feature_spec"])

  def build_model(self):
    """Builds the model with its variables; call inside `strategy.scope()`."""
    return models.VideoModel.from_config(self.model).build_variables()

  def with_hparams(self, text):
    """Returns the experiment with `--hparams` laid over those it was trained with.

    Raises:
      ValueError: not JSON, unknown names, or hyperparameters that need training.
    """
    return dataclasses.replace(self, model=inference_hparams.change(self.model, text))

  def save(self, train_dir):
    with files.atomic_write(os.path.join(train_dir, CONFIG), "w") as file:
      json.dump({"format": 1, **dataclasses.asdict(self)}, file, indent=2,
                sort_keys=True)
      file.write("\n")

  @classmethod
  def load(cls, train_dir):
    """Reads `config.json`.

    Raises:
      FileNotFoundError: no directory, or nothing was trained in it.
      ValueError: the file is not a configuration of ours.
    """
    path = os.path.join(train_dir, CONFIG)
    if not tf.io.gfile.exists(path):
      raise FileNotFoundError(
          f"{path} does not exist: --train_dir={train_dir} holds no trained model. "
          "Give the directory that yt8m-train wrote, or train there first.")
    with tf.io.gfile.GFile(path) as file:
      text = file.read()
    try:
      config = json.loads(text)
      return cls(config["model"], config["max_frames"], config["flags"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
      raise ValueError(f"{path} is not a configuration that yt8m-train wrote "
                       f"({error!r}).") from error


def check_same_model(before, after, train_dir):
  """Refuses to continue a directory with another model.

  Raises:
    ValueError: names the first difference and the remedy.
  """
  # The round trip makes tuples lists, as they are in the file.
  before, after = before.model, json.loads(json.dumps(after.model))
  for key in sorted({*before, *after} - {"name"}):
    if before.get(key) != after.get(key):
      raise ValueError(
          f"{train_dir} holds another model: its {key} is {before.get(key)!r}, the "
          f"flags say {after.get(key)!r}. Choose another --train_dir, or add "
          "--start_new_model to delete the old one.")


def write_status(train_dir, finished, total_steps=None):
  """Records whether training has finished, and its number of steps if that is known."""
  with files.atomic_write(os.path.join(train_dir, STATUS)) as file:
    json.dump({"finished": finished, "total_steps": total_steps}, file)
    file.write("\n")


def is_finished(train_dir):
  """Whether training has finished; None for a directory that does not record it."""
  status = _read_status(train_dir)
  return status and status["finished"]


def warn_if_unfinished(train_dir, path):
  """Logs a warning if `path`, a checkpoint of `train_dir`, is from unfinished training."""
  if is_finished(train_dir) is False:
    total = _read_status(train_dir)["total_steps"]
    logging.warning("Training in %s has not finished: step %d%s. To finish it, run the "
                    "same yt8m-train command again, without --start_new_model.",
                    train_dir, checkpoints.step_of(path), f" of {total}" if total else "")


def _read_status(train_dir):
  path = os.path.join(train_dir, STATUS)
  if not tf.io.gfile.exists(path):
    return None
  with tf.io.gfile.GFile(path) as file:
    return json.loads(file.read())


def delete(train_dir):
  """Deletes what training wrote into `train_dir`, and nothing else in it."""
  for pattern in (CONFIG, STATUS, "checkpoint", checkpoints.PREFIX + "-*", "train",
                  "eval"):
    for path in tf.io.gfile.glob(os.path.join(train_dir, pattern)):
      (tf.io.gfile.rmtree if tf.io.gfile.isdir(path) else tf.io.gfile.remove)(path)


def load(train_dir, checkpoint=None, hparams=None, averaged=True):
  """Loads a trained model.

  Args:
    train_dir: written by `yt8m-train`.
    checkpoint: path prefix; the newest if None.
    hparams: `--hparams`, see `Experiment.with_hparams`.
    averaged: see `checkpoints.restore_weights`.

  Returns:
    `(experiment, model, step)`.
  """
  experiment = Experiment.load(train_dir).with_hparams(hparams)
  path = checkpoint or checkpoints.latest(train_dir)
  model = experiment.build_model()
  checkpoints.restore_weights(model, path, averaged)
  return experiment, model, checkpoints.step_of(path)
