# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation does with thresholds: it chooses them, or measures given ones."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.artifacts import identity
from yt8m.artifacts import saved_model
from yt8m.artifacts import thresholds
from yt8m.core import files
from yt8m.eval.metrics import decisions
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
  """Thresholds, and what is decided with them.

  Attributes:
    limits: The thresholds.
    decided: Decisions for the evaluated videos.
    path: Path of the file of the thresholds.
    chosen_here: Whether they were chosen on these videos.
  """
  limits: thresholds.Thresholds
  decided: decisions.Decisions
  path: str
  chosen_here: bool

  def describe(self) -> Iterator[str]:
    """Yields lines for people."""
    chosen = self.limits.chosen
    yield (f"Thresholds for {self.limits.target}"
           f"{', on the videos they were chosen on' if self.chosen_here else ''}: "
           f"{decisions.format_summary(self.decided.summary())}")
    if self.chosen_here:
      yield (f"{chosen['num_by_global']:,} of {len(self.limits.values):,} classes have "
             f"fewer than {chosen['min_positives']} labels and share the threshold "
             f"{_text(chosen['global_threshold'])}; {chosen['num_never_decided']:,} "
             "classes are never decided.")

  def content(self) -> dict[str, Any] | None:
    """Returns the entry of `metrics-<step>.json`.

    It is None for thresholds that were chosen on the same videos, which would look
    better than they are.
    """
    if self.chosen_here:
      return None
    return {"thresholds": self.path, "target": self.limits.target,
            **self.decided.summary()}


@dataclasses.dataclass(frozen=True, eq=False)
class Thresholding:
  """The thresholds of an evaluation.

  Attributes:
    path: Value of `--thresholds`.
    target: Value of `--choose_thresholds`; None if thresholds are given.
    min_positives: Value of `--threshold_min_positives`.
    given: The given thresholds; None if they are chosen.
  """
  path: str
  target: str | None
  min_positives: int
  given: thresholds.Thresholds | None

  @classmethod
  def of_flags(cls, path: str | None, target: str | None, min_positives: int,
               num_classes: int, top_k: int) -> "Thresholding | None":
    """Checks the flags; returns None if there is nothing to do.

    Args:
      path: Value of `--thresholds`.
      target: Value of `--choose_thresholds`.
      min_positives: Value of `--threshold_min_positives`.
      num_classes: Number of classes of the model.
      top_k: Number of classes of a video that are kept.

    Raises:
      ValueError: The target or the file is not as described.
      FileNotFoundError: There is no file of thresholds.
      OSError: Something else than thresholds would be replaced.
    """
    if target is None:
      if not path:
        return None
      given = thresholds.Thresholds.load(path, num_classes)
      if given.top_k > top_k:
        raise ValueError(f"--thresholds={path} decides among the best {given.top_k} "
                         f"classes of a video: add --top_k={given.top_k}.")
      return cls(path, None, min_positives, given)
    decisions.gain_of(target)
    if not path:
      raise ValueError("--choose_thresholds needs --thresholds, the file to write.")
    _check_replaceable(path)
    return cls(path, target, min_positives, None)

  def apply(self, metrics: streaming.EvaluationMetrics, data: results.Data, *,
            model: identity.Identity) -> Result:
    """Chooses and writes thresholds, or takes the given ones, and counts decisions.

    Args:
      metrics: Accumulated metrics.
      data: What the model was evaluated on.
      model: Identity of the model.
    """
    if self.given:
      try:
        self.given.check_model(f"--thresholds={self.path}", model)
      except ValueError as error:
        logging.warning("%s", error)
      return Result(self.given, _count(self.given, metrics), self.path, False)
    assert self.target is not None
    scores, classes, hits = metrics.predictions()
    choice = decisions.choose(
        scores, hits, classes, metrics.num_positives, self.target, self.min_positives)
    limits = thresholds.Thresholds(choice.values, metrics.top_k, self.target)
    decided = _count(limits, metrics)
    limits = dataclasses.replace(limits, chosen={
        **model, "data": data.pattern, "data_digest": data.digest,
        "num_examples": metrics.num_examples,
        "min_positives": self.min_positives,
        "global_threshold": thresholds.number(choice.global_value),
        "num_by_global": int(np.count_nonzero(choice.by_global)),
        "num_never_decided": int(np.count_nonzero(np.isinf(choice.values))),
        "achieved": decided.summary()})
    limits.write(self.path)
    logging.info("Wrote %s", self.path)
    return Result(limits, decided, self.path, True)


def _count(limits: thresholds.Thresholds, metrics: streaming.EvaluationMetrics
           ) -> decisions.Decisions:
  scores, classes, hits = metrics.predictions()
  return decisions.Decisions.of(
      limits.decide(classes, scores), hits, classes, metrics.num_positives)


def _check_replaceable(path: str) -> None:
  """Raises an error if there is something at `path` that holds no thresholds."""
  saved_model.check_outside(path, "--thresholds")
  if not files.is_remote(path):
    files.check_replaceable(path)
  if tf.io.gfile.exists(path):
    try:
      thresholds.Thresholds.load(path)
    except ValueError as error:
      raise FileExistsError(f"--thresholds={path} is not replaced: it holds no "
                            "thresholds. Name another file.") from error


def _text(threshold: float | None) -> str:
  return "none" if threshold is None else f"{threshold:.4f}"
