# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of a training directory as a source of predictions.

Its sibling is `artifacts.saved_model.SavedModel`, with the same properties and methods.
"""

import dataclasses
import functools
import os
from collections.abc import Callable

import tensorflow as tf

from yt8m.artifacts import identity
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import checksum
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.core import vocabulary
from yt8m.core.types import Batch
from yt8m.core.types import Scores
from yt8m.core.vocabulary import Vocabulary
from yt8m.data import reader_base
from yt8m.data import readers
from yt8m.eval.predictions import by_length
from yt8m.models import prediction


@dataclasses.dataclass(frozen=True)
class Checkpoint:
  """A model that `yt8m-train` wrote. It can be sent to another process.

  Attributes:
    train_dir: Training directory.
    path: Path prefix of the checkpoint, as `of_directory` finds it.
    hparams: Value of `--hparams`, laid over those of training.
    allow_code: Value of `--allow_code`, which a process that loads the model needs too.
  """
  train_dir: str
  path: str
  hparams: str | None = None
  allow_code: tuple[str, ...] = dataclasses.field(default_factory=registry.allowed_code)

  @classmethod
  def of_directory(cls, train_dir: str, hparams: str | None = None,
                   name: str | None = None) -> "Checkpoint":
    """Returns the best or newest checkpoint of this moment; training may go on meanwhile.

    Args:
      train_dir: Training directory.
      hparams: Value of `--hparams`.
      name: Value of `--checkpoint`, which may name another one; see `checkpoints.find`.
    """
    return cls(train_dir, checkpoints.find(train_dir, name), hparams)

  @property
  def num_classes(self) -> int:
    return self._experiment.num_classes

  @property
  def spec(self) -> feature_spec.FeatureSpec:
    """Features of a whole video."""
    return self._experiment.feature_spec.with_segment_labels(False)

  @property
  def vocabulary(self) -> Vocabulary | None:
    """Names of the classes, or None; errors are those of `Experiment.kept_names`."""
    return self._experiment.kept_names(self.train_dir)

  @property
  def identity(self) -> identity.Identity:
    """What thresholds name it by."""
    return identity.of_checkpoint(self.path, self.hparams)

  @property
  def fingerprint(self) -> str:
    """SHA-256 of everything that the scores depend on."""
    parts = checkpoint_files.parts(self.path)
    return checksum.of_tree(
        self.train_dir, [experiment.CONFIG, *map(os.path.basename, parts)])

  def predictor(self, batch_size: int = 0) -> Callable[[Batch], Scores]:
    """Loads the model as a function from a batch of `reader` to scores.

    Args:
      batch_size: Number of rows of most batches, for which graphs of their own are made.
    """
    with registry.allow_code(self.allow_code):
      _, model, _ = experiment.load(self.train_dir, self.path, self.hparams)
    if not batch_size:
      return prediction.prediction_function(model)
    return by_length.compiled(model, batch_size)

  def reader(self) -> reader_base.Reader:
    """Returns the reader of the model's records."""
    with registry.allow_code(self.allow_code):
      return readers.make_reader(
          self.spec, self.num_classes, self._experiment.max_frames, of_model=True)

  def inference_files(self) -> list[str]:
    """Returns the names of the files of the training directory that prediction needs.

    Raises:
      ValueError: The status, or the names of the classes, are not what training writes.
    """
    # Read first: what is no file of ours does not leave this machine.
    _ = self.vocabulary, experiment.is_finished(self.train_dir)
    return checkpoints.inference_files(self.train_dir, self.path) + [
        name for name in (experiment.STATUS, vocabulary.FILE)
        if tf.io.gfile.exists(os.path.join(self.train_dir, name))]

  @functools.cached_property
  def _experiment(self) -> experiment.Experiment:
    with registry.allow_code(self.allow_code):
      return experiment.Experiment.load(self.train_dir).with_hparams(self.hparams)

  def __str__(self) -> str:
    return f"{self.train_dir} at step {checkpoints.step_of(self.path)}"
