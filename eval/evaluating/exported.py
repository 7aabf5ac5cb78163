# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A SavedModel that `yt8m-eval` evaluates, of one model or of an ensemble.

Nothing is written into it: its manifest lists all its files. `--output_dir` gets

    <output_dir>/metrics.json   the content of a `metrics-<step>.json`, with a fingerprint
                                of the SavedModel in place of the number of parameters
    <output_dir>/classes.csv    the classes, if they have names (`class_report`)
"""

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from yt8m.artifacts import identity as identities
from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.configs import experiment
from yt8m.configs import hparams as hyperparameters
from yt8m.core import directories
from yt8m.core import feature_spec
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import types
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.metrics import class_report
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming
from yt8m.eval.metrics import thresholding
from yt8m.eval.predictions import by_length
from yt8m.models import losses
from yt8m.models import named_losses

_METRICS, _CLASSES = "metrics.json", "classes.csv"


@dataclasses.dataclass(frozen=True)
class Exported:
  """A SavedModel. Its sibling is `trained.Trained`, with the same methods.

  Attributes:
    model: The SavedModel.
    output_dir: Value of `--output_dir`; None if nothing is written.
  """
  model: saved_model.SavedModel
  output_dir: str | None = None
  hparams: None = None  # These were chosen when it was exported.

  @property
  def spec(self) -> feature_spec.FeatureSpec:
    return self.model.spec

  @property
  def num_classes(self) -> int:
    return self.model.num_classes

  @property
  def max_frames(self) -> int:
    return self.model.max_frames

  @functools.cached_property
  def label_loss(self) -> tuple[str, types.Config]:
    """Name and hyperparameters of the loss of training, if the SavedModel says it."""
    path = os.path.join(self.model.directory, manifest.EXTRA, experiment.CONFIG)
    if not tf.io.gfile.exists(path):
      return losses.DEFAULT, {}
    return files.read_json(path, kind="a configuration of yt8m-export",
                           remedy="Copy or export the model again", parse=_label_loss)

  def names(self, path: str | None) -> Vocabulary | None:
    """Returns the names of the classes, those of `--vocabulary` first."""
    return Vocabulary.load(path, self.num_classes) if path else self.model.vocabulary

  def predictor(self, batch_size: int) -> by_length.Predict:
    """Loads the model as the function from a batch to its scores.

    Args:
      batch_size: Unused, since one graph takes batches of every size.
    """
    return by_length.for_evaluation(self.model.predictor(), self.spec)

  def check_output(self, data: results.Data) -> None:
    """Checks `--output_dir` before an evaluation.

    Raises:
      ValueError: It lies in a SavedModel.
      FileExistsError: It holds results of another model or of other records, or
        something else that must stay.
    """
    if self.output_dir is None:
      return
    directories.checked_path(self.output_dir, "--output_dir")
    saved_model.check_outside(self.output_dir, "--output_dir")
    paths = [os.path.join(self.output_dir, name) for name in (_METRICS, _CLASSES)]
    for path in paths:
      if os.path.islink(path):
        raise FileExistsError(f"{path} is a symbolic link, which is not followed: name "
                              "another --output_dir.")
    present = list(filter(tf.io.gfile.exists, paths))
    if present and not (present[0] == paths[0] and self._wrote(present[0], data)):
      raise FileExistsError(
          f"{present[0]} is not replaced: it is not of an evaluation of this model on "
          "these records. Name another --output_dir, or move the file away.")

  def restore(self, path: str) -> None:
    """Does nothing: a SavedModel has the weights of one checkpoint."""

  def title(self, path: str) -> str:
    """Returns the beginning of the line of metrics."""
    return path

  def identity(self, path: str) -> identities.Identity:
    """Returns what thresholds name the model by."""
    return self.model.identity

  def write(self, path: str, data: results.Data, metrics: streaming.EvaluationMetrics,
            values: dict[str, Any], names: Vocabulary | None,
            result: thresholding.Result | None, own: Mapping[str, float]
            ) -> list[str]:
    """Writes the results into `--output_dir`, if it is given.

    Args:
      path: Path of the SavedModel.
      data: What it was evaluated on.
      metrics: Accumulated metrics.
      values: Results of `metrics.get()` and `metrics.calibration()`.
      names: Names of the classes, if they have any.
      result: Thresholds and decisions; None if nothing was decided.
      own: Metrics of the user's own, by name.

    Returns:
      Paths of the files.
    """
    if self.output_dir is None:
      return []
    with files.clear_disk_errors(self.output_dir):
      tf.io.gfile.makedirs(self.output_dir)
    written = [os.path.join(self.output_dir, _METRICS)]
    files.write_json(written[0], results.content(
        data, metrics, values, step=self.model.identity.get("step"),
        label_loss=named_losses.described(*self.label_loss),
        at_thresholds=result and result.content(), own=own, saved_model=path,
        fingerprint=self.model.fingerprint))
    if names:
      written.append(os.path.join(self.output_dir, _CLASSES))
      class_report.write(written[-1], names, metrics, values, result)
    return written

  def _wrote(self, path: str, data: results.Data) -> bool:
    """Whether a file has results of this model on these records."""
    try:
      found = files.read_json(path, kind="a result of yt8m-eval", remedy="Move it away")
    except ValueError:
      return False
    ours = {"fingerprint": self.model.fingerprint, "data_digest": data.digest,
            "segments": data.segments}
    return ours == {name: found.get(name) for name in ours}


def _label_loss(content: dict[str, Any]) -> tuple[str, types.Config]:
  fields.check(content, {"flags": fields.OBJECT})
  fields.check(content["flags"], {}, {"label_loss": fields.TEXT}, where="flags: ")
  return hyperparameters.label_loss(content["flags"])
