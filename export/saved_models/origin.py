# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint that the weights of an export come from, and its evaluation."""

import dataclasses
import datetime
import os
from typing import Any

from yt8m.configs import best_checkpoint
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.core import fields
from yt8m.core import files
from yt8m.eval.metrics import calibration
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming


@dataclasses.dataclass(frozen=True)
class Origin:
  """A checkpoint and its evaluation.

  Attributes:
    step: Step of the checkpoint.
    date: Time of the checkpoint in UTC; None if the file `checkpoint` does not list it.
    evaluation: Content of `metrics-<step>.json` for this step or else for the last step
      that was evaluated; None if no step was. Of several data sets, whole videos come
      before segments, and more examples before fewer.
    best: What it was the best of, if training evaluated its checkpoints and this is the
      best one.
  """
  step: int
  date: str | None = None
  evaluation: dict[str, Any] | None = None
  best: str | None = None

  @classmethod
  def of_checkpoint(cls, train_dir: str, path: str) -> "Origin":
    """Returns the origin that a checkpoint is.

    Args:
      train_dir: Directory that `yt8m-train` wrote.
      path: Path prefix of the checkpoint.

    Raises:
      ValueError: The file of the evaluation is damaged.
    """
    step = checkpoints.step_of(path)
    best = best_checkpoint.Best.load(train_dir)
    return cls(step, _date(path), _evaluation(train_dir, step),
               str(best) if best and best.step == step else None)


def _date(path: str) -> str | None:
  times = checkpoint_files.listed(os.path.dirname(path))
  try:
    date = datetime.datetime.fromtimestamp(times[path], datetime.timezone.utc)
  except (KeyError, ValueError, OverflowError, OSError):  # not listed, or no time
    return None
  return date.strftime("%Y-%m-%d %H:%M UTC")


def _evaluation(train_dir: str, step: int) -> dict[str, Any] | None:
  steps = {path: checkpoints.step_of(path.removesuffix(".json"))
           for found in results.find(train_dir).values() for path in found}
  if not steps:
    return None
  step = step if step in steps.values() else max(steps.values())
  evaluations = [files.read_json(
      path, kind="an evaluation that yt8m-eval wrote",
      remedy="Remove it, or evaluate again", parse=_parse)
                 for path, evaluated in steps.items() if evaluated == step]
  return max(evaluations, key=lambda content: (
      not content.get("segments"), not content.get("hparams"),
      content.get("num_examples", 0), content.get("data") or ""))


def _parse(content: dict[str, Any]) -> dict[str, Any]:
  fields.check(content, {"step": fields.SIZE}, {
      "num_examples": fields.SIZE, "top_k": fields.COUNT, "segments": fields.BOOL,
      "hparams": fields.TEXT | fields.NULL, "data": fields.TEXT | fields.NULL,
      **dict.fromkeys((*streaming.TITLES, *calibration.TITLES), fields.NUMBER)})
  return content
