# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A training directory, whose checkpoints `yt8m-eval` evaluates one after the other."""

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import Any

from yt8m import models
from yt8m.artifacts import identity as identities
from yt8m.configs import checkpoints
from yt8m.configs import class_names
from yt8m.configs import experiment
from yt8m.configs import hparams as hyperparameters
from yt8m.core import feature_spec
from yt8m.core import types
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.metrics import class_report
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming
from yt8m.eval.metrics import thresholding
from yt8m.eval.predictions import by_length
from yt8m.models import named_losses


@dataclasses.dataclass(frozen=True)
class Trained:
  """A training directory. Its sibling is `exported.Exported`, with the same methods.

  Attributes:
    train_dir: Path of the directory.
    config: Configuration of the model, with `hparams`.
    hparams: Value of `--hparams`.
  """
  train_dir: str
  config: experiment.Experiment
  hparams: str | None = None

  @property
  def spec(self) -> feature_spec.FeatureSpec:
    return self.config.feature_spec

  @property
  def num_classes(self) -> int:
    return self.config.num_classes

  @property
  def max_frames(self) -> int:
    return self.config.max_frames

  @property
  def label_loss(self) -> tuple[str, types.Config]:
    """Name and hyperparameters of the loss that the model was trained with."""
    return hyperparameters.label_loss(self.config.flags)

  def names(self, path: str | None) -> Vocabulary | None:
    """Returns the names of the classes, those of `--vocabulary` first."""
    return class_names.of_training(self.train_dir, self.num_classes, path)

  def predictor(self, batch_size: int) -> by_length.Predict:
    """Returns the function from a batch to its scores.

    It is traced once, whatever the number of checkpoints.

    Args:
      batch_size: Number of examples of most batches.
    """
    return by_length.evaluation_function(self._model, batch_size)

  def check_output(self, data: results.Data) -> None:
    """Raises FileExistsError if results on `data` would be written elsewhere."""
    experiment.TRAIN_DIR.refuse_links(self.train_dir)

  def restore(self, path: str) -> None:
    """Restores the weights of a checkpoint, with which `predictor` predicts from now."""
    checkpoints.restore_weights(self._model, path)

  def title(self, path: str) -> str:
    """Returns the beginning of the line of metrics of a checkpoint."""
    return f"step {checkpoints.step_of(path)}"

  def identity(self, path: str) -> identities.Identity:
    """Returns what thresholds name a checkpoint by."""
    return identities.of_checkpoint(path, self.hparams)

  def write(self, path: str, data: results.Data, metrics: streaming.EvaluationMetrics,
            values: dict[str, Any], names: Vocabulary | None,
            result: thresholding.Result | None, own: Mapping[str, float]
            ) -> list[str]:
    """Writes the results of a checkpoint.

    Args:
      path: Path prefix of the checkpoint.
      data: What it was evaluated on.
      metrics: Accumulated metrics.
      values: Results of `metrics.get()` and `metrics.calibration()`.
      names: Names of the classes, if they have any.
      result: Thresholds and decisions; None if nothing was decided.
      own: Metrics of the user's own, by name.

    Returns:
      Paths of the files for people.
    """
    step = checkpoints.step_of(path)
    written = [results.write(
        self.train_dir, data, step, self._model, metrics, values,
        label_loss=named_losses.described(*self.label_loss),
        at_thresholds=result and result.content(), own=own)]
    if names:
      written.append(os.path.join(data.folder(self.train_dir), f"classes-{step}.csv"))
      class_report.write(written[-1], names, metrics, values, result)
    return written

  @functools.cached_property
  def _model(self) -> models.VideoModel:
    return self.config.build_model()
