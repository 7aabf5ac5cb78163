# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A training directory: the model it holds, and whether training has finished.

    <train_dir>/config.json            model, features and flags
    <train_dir>/vocabulary.csv         names of the classes, if given
    <train_dir>/model.ckpt-<step>.*    checkpoints (`checkpoint_files`)
    <train_dir>/checkpoint             list of the checkpoints
    <train_dir>/status.json            whether training has finished
    <train_dir>/train, eval            TensorBoard scalars and metrics
    <train_dir>/.yt8m-lock             process that trains there (`core.locks`)
"""

import dataclasses
import fnmatch
import inspect
import json
import os
import pathlib

import tensorflow as tf
from absl import logging

from yt8m import models
from yt8m.configs import best_checkpoint
from yt8m.configs import checkpoints
from yt8m.configs import hparams as hyperparameters
from yt8m.core import directories
from yt8m.core import feature_spec
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import locks
from yt8m.core import vocabulary
from yt8m.core.types import Config
from yt8m.core.vocabulary import Vocabulary
from yt8m.models import building

CONFIG = checkpoints.CONFIG
STATUS = checkpoints.STATUS

# What yt8m-train and yt8m-eval write into a training directory.
_OWN_FILES = (STATUS, vocabulary.FILE, *checkpoints.FILES, locks.FILE,
              "train/events.out.tfevents.*", "eval/events.out.tfevents.*",
              "eval/metrics-*.json", "eval/classes-*.csv",  # of older versions
              "eval/*/events.out.tfevents.*", "eval/*/metrics-*.json",
              "eval/*/classes-*.csv", "eval/*/metrics.jsonl", best_checkpoint.FILE)
TRAIN_DIR = directories.Kind("training directory", CONFIG, _OWN_FILES)


@dataclasses.dataclass(frozen=True)
class Experiment:
  """Content of `config.json`, so that no flag need be repeated after training.

  Attributes:
    model_config: Config of the `VideoModel`.
    max_frames: Number of frames of a video that the reader keeps.
    flags: Flags of the training command and their values, for the record.
    initialized_from: What was taken of another model (`training.initializing`).
  """
  model_config: Config
  max_frames: int = 300
  flags: Config = dataclasses.field(default_factory=dict)
  initialized_from: Config | None = None

  @property
  def num_classes(self) -> int:
    return self.model_config["num_classes"]

  @property
  def feature_spec(self) -> feature_spec.FeatureSpec:
    return feature_spec.FeatureSpec.from_config(self.model_config["feature_spec"])

  def build_model(self) -> models.VideoModel:
    """Builds the model with its variables; call it inside `strategy.scope()`.

    Raises:
      ValueError: The config has an entry that no model has, an unknown option, or a
        value with which an option cannot be built.
    """
    valid = {"name", *inspect.signature(models.VideoModel).parameters} - {"kwargs"}
    if others := sorted(set(self.model_config) - valid):
      raise ValueError(f"The model of {CONFIG} has unknown entries: {', '.join(others)}.")
    try:
      return building.build(**self.model_config).build_variables()
    except (*fields.UNFIT, MemoryError, tf.errors.OpError) as error:
      raise ValueError(f"The model of {CONFIG} cannot be built: "
                       f"{fields.reason(error)}.") from error

  def with_hparams(self, text: str | None) -> "Experiment":
    """Returns the experiment with the hyperparameters of `--hparams` changed.

    Raises:
      ValueError: Not JSON, unknown names, or hyperparameters that need training.
    """
    return dataclasses.replace(
        self, model_config=hyperparameters.change_trained(self.model_config, text))

  def kept_names(self, train_dir: str) -> Vocabulary | None:
    """Returns the names of the classes that training kept; None if there are none.

    Args:
      train_dir: Training directory of this experiment.

    Raises:
      ValueError: The file of the names was changed, or is no vocabulary.
    """
    names = Vocabulary.find(train_dir, self.num_classes)
    digest = self.flags.get("vocabulary")
    if names and digest and names.digest != digest:
      raise ValueError(
          f"{os.path.join(train_dir, vocabulary.FILE)} has other names of the classes "
          "than training kept there: restore it, or give the right names with "
          "--vocabulary.")
    return names

  def save(self, train_dir: str) -> None:
    """Writes `config.json`."""
    more = {"initialized_from": self.initialized_from} if self.initialized_from else {}
    files.write_json(
        os.path.join(train_dir, CONFIG),
        {"format": 1, "model": self.model_config, "max_frames": self.max_frames,
         "flags": self.flags, **more}, sort_keys=True)

  @classmethod
  def load(cls, train_dir: str) -> "Experiment":
    """Reads `config.json`.

    Raises:
      FileNotFoundError: There is no such directory, or nothing was trained in it.
      ValueError: The path is empty, or the file is not a configuration of ours.
    """
    if not train_dir:
      raise ValueError("--train_dir is empty: name the directory that yt8m-train wrote.")
    return files.read_json(
        os.path.join(train_dir, CONFIG), kind="a configuration of yt8m-train",
        remedy=f"{train_dir} holds no trained model: choose another --train_dir",
        parse=cls._parse)

  @classmethod
  def _parse(cls, config: Config) -> "Experiment":
    fields.check(config, {"model": fields.OBJECT, "max_frames": fields.COUNT,
                          "flags": fields.OBJECT}, {
                              "format": fields.one_of([1]),
                              "initialized_from": fields.OBJECT})
    fields.check(config["model"], {"num_classes": fields.COUNT}, where="model: ")
    fields.check(config["flags"], {}, {
        "label_loss": fields.TEXT, "hparams": fields.TEXT | fields.NULL}, where="flags: ")
    feature_spec.FeatureSpec.from_config(config["model"]["feature_spec"])
    if (number := fields.not_finite(config["model"])) is not None:
      raise ValueError(f"the model has the number {number}")
    return cls(config["model"], config["max_frames"], config["flags"],
               config.get("initialized_from"))


def load(train_dir: str, checkpoint: str | None = None, hparams: str | None = None,
         averaged: bool = True) -> tuple[Experiment, models.VideoModel, int]:
  """Loads a trained model.

  Args:
    train_dir: Directory that `yt8m-train` wrote.
    checkpoint: Path prefix of the checkpoint; the newest good one if None.
    hparams: Value of `--hparams`, as in `Experiment.with_hparams`.
    averaged: Whether to prefer averaged weights, as in `checkpoints.restore_weights`.

  Returns:
    `(experiment, model, step)`.
  """
  experiment = Experiment.load(train_dir).with_hparams(hparams)
  path = checkpoint or checkpoints.find(train_dir)
  model = experiment.build_model()
  checkpoints.restore_weights(model, path, averaged)
  return experiment, model, checkpoints.step_of(path)


def prepare(train_dir: str, experiment: Experiment, start_new: bool = False,
            names: Vocabulary | None = None) -> None:
  """Makes a training directory, or checks that it holds the same model.

  Args:
    train_dir: Directory to train in.
    experiment: What is to be trained there.
    start_new: Whether to delete the model that the directory holds.
    names: Names of the classes; None if they have none.

  Raises:
    ValueError: The directory holds another model, or a `config.json` of somebody else.
    FileExistsError: Files that are not ours would be deleted or replaced.
  """
  if start_new:
    delete(train_dir)
  path = os.path.join(train_dir, vocabulary.FILE)
  is_ours = tf.io.gfile.exists(os.path.join(train_dir, CONFIG))
  if is_ours:
    before = Experiment.load(train_dir)  # an error if it is not ours: it stays
    if checkpoints.exist(train_dir):
      check_same_model(before, experiment, train_dir)
  elif names and tf.io.gfile.exists(path):
    raise FileExistsError(
        f"{path} is not replaced: yt8m-train did not write it. Move it out of "
        "--train_dir, and give its new path as --vocabulary.")
  tf.io.gfile.makedirs(train_dir)
  experiment.save(train_dir)  # First: without it, the others are not ours.
  if names:
    names.write(path)
  elif is_ours and tf.io.gfile.exists(path):  # of other classes
    tf.io.gfile.remove(path)


def check_same_model(before: Experiment, after: Experiment, train_dir: str) -> None:
  """Checks that training in a directory continues with the same model.

  Raises:
    ValueError: The models differ; names the first difference and the remedy.
  """
  # Through JSON, tuples become lists, as they are in the file.
  old, new = (hyperparameters.values(json.loads(json.dumps(experiment.model_config)))
              for experiment in (before, after))
  # Another option first, and then its hyperparameters.
  for path in sorted({*old, *new} - {"name"},
                     key=lambda path: (not path.endswith(".name"), path)):
    if old.get(path) != new.get(path):
      raise ValueError(
          f"{train_dir} holds another model: its {path} is {old.get(path)!r}, the "
          f"flags say {new.get(path)!r}. Choose another --train_dir, or add "
          "--start_new_model to delete the old one.")


def delete(train_dir: str) -> None:
  """Deletes what training and evaluation wrote into a directory, and nothing else.

  Raises:
    ValueError: The path is empty, or `config.json` is not a configuration of ours.
    FileExistsError: The directory is a symbolic link; or it has files with names of ours
      but no `config.json`; or its `train` or `eval` holds files that are not ours.
  """
  train_dir = directories.checked_path(train_dir, "--train_dir")
  names = ([name.rstrip("/") for name in tf.io.gfile.listdir(train_dir)]
           if tf.io.gfile.isdir(train_dir) else [])
  # Not the lock, which keeps others out meanwhile.
  own = [name for name in names if name != locks.FILE and any(
      fnmatch.fnmatchcase(name, pattern.split("/")[0]) for pattern in _OWN_FILES)]
  foreign = own
  if CONFIG in names:
    Experiment.load(train_dir)  # an error if it is not ours
    foreign = [entry for entry in TRAIN_DIR.foreign_entries(train_dir)
               if entry.split("/")[0] in own]
    own = [*own, CONFIG]  # last: a directory that is deleted in part is still ours
  if foreign:
    raise FileExistsError(
        f"--start_new_model does not delete {', '.join(foreign[:3])} in {train_dir}: "
        "yt8m-train did not write that. Move it away, or choose another --train_dir.")
  for name in own:
    directories.remove(os.path.join(train_dir, name))


def delete_checkpoints(train_dir: str) -> None:
  """Deletes the checkpoints of a local training directory, and what saving left."""
  TRAIN_DIR.refuse_links(train_dir)  # The patterns would follow them.
  for name in checkpoints.FILES:
    for path in pathlib.Path(train_dir).glob(name):
      path.unlink()


def write_status(train_dir: str, finished: bool, total_steps: int | None = None) -> None:
  """Records whether training has finished, and its number of steps if that is known."""
  files.write_json(os.path.join(train_dir, STATUS),
                   {"finished": finished, "total_steps": total_steps})


def is_finished(train_dir: str) -> bool | None:
  """Whether training has finished; None if the directory is from an older version."""
  return _status(train_dir).get("finished")


def warn_if_unfinished(train_dir: str, path: str) -> None:
  """Logs a warning if a checkpoint of `train_dir` is from a training without an end."""
  status = _status(train_dir)
  if status.get("finished") is False:
    total = status.get("total_steps")
    logging.warning("Training in %s has not finished: step %d%s. To finish it, run the "
                    "same yt8m-train command again, without --start_new_model.",
                    train_dir, checkpoints.step_of(path), f" of {total}" if total else "")


def _status(train_dir: str) -> Config:
  path = os.path.join(train_dir, STATUS)
  if not tf.io.gfile.exists(path):
    return {}
  return files.read_json(path, kind="a status of yt8m-train", remedy="Delete it",
                         parse=_parse_status)


def _parse_status(content: Config) -> Config:
  fields.check(content, {}, {"finished": fields.BOOL | fields.NULL,
                             "total_steps": fields.COUNT | fields.NULL})
  return content
