# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a model comes from: a checkpoint of a training directory, or a SavedModel.

Both are plain values, which another process can be sent; both name the bytes that the
scores depend on.
"""

import dataclasses
import os

import tensorflow as tf

from yt8m.artifacts import saved_model
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import checksum
from yt8m.core import registry
from yt8m.data import readers
from yt8m.eval.predictions import members
from yt8m.models import prediction


@dataclasses.dataclass(frozen=True)
class Checkpoint:
  """A model as `yt8m-train` left it.

  Attributes:
    train_dir: the directory.
    path: path prefix of the checkpoint, `newest` finds it.
    hparams: `--hparams`, laid over those of training.
    allow_code: `--allow_code`, which a process that loads the model needs too.
  """
  train_dir: str
  path: str
  hparams: str | None = None
  allow_code: tuple[str, ...] = dataclasses.field(default_factory=registry.allowed_code)

  @classmethod
  def newest(cls, train_dir, hparams=None):
    """The newest checkpoint at this moment: training may go on beside."""
    return cls(train_dir, checkpoints.latest(train_dir), hparams)

  @property
  def num_classes(self):
    return self._experiment().num_classes

  @property
  def is_video_level(self):
    return self._experiment().feature_spec.is_video_level

  def fingerprint(self):
    """SHA-256 of what the scores depend on."""
    parts = tf.io.gfile.glob(f"{self.path}.*")
    return checksum.of_tree(
        self.train_dir, [experiment.CONFIG, *map(os.path.basename, parts)])

  def load(self):
    """Returns the function from a batch to its scores, and the reader of the batches."""
    with registry.allow_code(self.allow_code):
      trained, model, _ = experiment.load(self.train_dir, self.path, self.hparams)
    return prediction.prediction_function(model), readers.make_reader(
        trained.feature_spec.with_segment_labels(False), trained.num_classes,
        trained.max_frames)

  def _experiment(self):
    with registry.allow_code(self.allow_code):
      return experiment.Experiment.load(self.train_dir).with_hparams(self.hparams)

  def __str__(self):
    return f"{self.train_dir} at step {checkpoints.step_of(self.path)}"


@dataclasses.dataclass(frozen=True)
class SavedModel:
  """A model, or an ensemble, as `yt8m-export` wrote it.

  Attributes:
    directory: of the SavedModel.
  """
  directory: str
  hparams = None  # chosen when it was exported

  @property
  def num_classes(self):
    return saved_model.Served.load(self.directory).num_classes

  @property
  def is_video_level(self):
    return saved_model.Served.load(self.directory).spec.is_video_level

  def fingerprint(self):
    """As of `Checkpoint`."""
    return members.fingerprint(self.directory)

  def load(self):
    """As of `Checkpoint`."""
    return (saved_model.load_predictor(self.directory),
            saved_model.Served.load(self.directory).reader())

  def __str__(self):
    return self.directory
