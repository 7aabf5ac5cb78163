# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A training directory: which model it holds, its checkpoints, and how to load it.

    <train_dir>/config.json            model, features and flags
    <train_dir>/model.ckpt-<step>.*    checkpoints
    <train_dir>/checkpoint             the list of them
    <train_dir>/train, eval            TensorBoard scalars
"""

import dataclasses
import json
import os

import tensorflow as tf

from yt8m import feature_spec
from yt8m import files
from yt8m import inference_hparams
from yt8m import models
from yt8m import weight_averaging
from yt8m.models.layers import variables

CONFIG = "config.json"
CHECKPOINT = "model.ckpt"


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


def delete(train_dir):
  """Deletes what training wrote into `train_dir`, and nothing else in it."""
  for pattern in (CONFIG, "checkpoint", CHECKPOINT + "-*", "train", "eval"):
    for path in tf.io.gfile.glob(os.path.join(train_dir, pattern)):
      (tf.io.gfile.rmtree if tf.io.gfile.isdir(path) else tf.io.gfile.remove)(path)


def latest_checkpoint(train_dir):
  """Path prefix of the newest checkpoint.

  Raises:
    FileNotFoundError: the directory has none yet.
  """
  path = tf.train.latest_checkpoint(train_dir)
  if path is None:
    raise FileNotFoundError(f"{train_dir} holds no checkpoint yet: wait for the first "
                            "(--export_model_steps), or train first.")
  return path


def checkpoint_step(path):
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
  part = weight_averaging.part_to_evaluate(path) if averaged else "weights"
  try:
    status = tf.train.Checkpoint(**{part: weights}).restore(path)
    status.assert_existing_objects_matched()
    status.expect_partial()
  except (AssertionError, ValueError) as error:
    raise ValueError(f"Checkpoint {path} is of another model than its {CONFIG} says: "
                     f"{error}") from error


def load(train_dir, checkpoint=None, hparams=None, averaged=True):
  """Loads a trained model.

  Args:
    train_dir: written by `yt8m-train`.
    checkpoint: path prefix; the newest if None.
    hparams: `--hparams`, see `Experiment.with_hparams`.
    averaged: see `restore_weights`.

  Returns:
    `(experiment, model, step)`.
  """
  experiment = Experiment.load(train_dir).with_hparams(hparams)
  path = checkpoint or latest_checkpoint(train_dir)
  model = experiment.build_model()
  restore_weights(model, path, averaged)
  return experiment, model, checkpoint_step(path)


def inference_files(train_dir):
  """Names of the files of `train_dir` that prediction needs, for a model archive."""
  prefix = os.path.basename(latest_checkpoint(train_dir))
  return [CONFIG, "checkpoint"] + sorted(
      os.path.basename(path)
      for path in tf.io.gfile.glob(os.path.join(train_dir, f"{prefix}.*")))
