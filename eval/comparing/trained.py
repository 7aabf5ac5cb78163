# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a training directory says about a training: settings, size and measurements."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from yt8m.configs import best_checkpoint
from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import paths
from yt8m.eval.metrics import gate
from yt8m.eval.metrics import results

# A picture has no room for larger numbers, and no training has them.
_LARGEST = 10**15
_NUMBER = fields.Kind("a number below 1e15", lambda value: (
    fields.NUMBER.accepts(value) and abs(value) < _LARGEST))
# Flags that say where a training is, or repeat what the model says.
_LEFT_OUT = {"train_dir", "start_new_model", "hparams"}


@dataclasses.dataclass(frozen=True)
class Run:
  """A training.

  Attributes:
    name: Name of the training in tables.
    settings: Flags and hyperparameters, as printable texts by printable names.
    best_step: Step of the best checkpoint, if training chose one.
    num_parameters: Number of trainable parameters, if an evaluation noted it.
    histories: Lines of the evaluations, by the name of their records.
  """
  name: str
  settings: dict[str, str]
  best_step: int | None
  num_parameters: int | None
  histories: dict[str, list[dict[str, Any]]]

  def chosen(self, data: str, metric: str) -> dict[str, Any] | None:
    """Returns the line of the best checkpoint, or else the best line for a metric."""
    lines = self.histories.get(data, [])
    for line in lines:
      if line["step"] == self.best_step:
        return line
    sign = -1 if gate.less_is_better(metric) else 1
    known = [line for line in lines if metric in line]
    return max(known, key=lambda line: (sign * line[metric], -line["step"]), default=None)


def printable(value: Any, length: int = 60) -> str:
  """Returns a value of a file as a short text without control characters."""
  if isinstance(value, str):
    return fields.printable(value, length)
  return "–" if value is None else fields.short(value, length)


def load(train_dir: str, name: str) -> Run:
  """Reads a training directory.

  Raises:
    ValueError: A file is not what yt8m-train or yt8m-eval wrote.
  """
  config = experiment.Experiment.load(train_dir)
  try:
    model = hparams.values(config.model_config)
  except fields.UNFIT as error:
    raise ValueError(
        f"The model of {os.path.join(train_dir, experiment.CONFIG)} cannot be shown "
        f"({fields.reason(error)}): leave the directory out.") from error
  settings = {f"--{printable(name)}": printable(value)
              for name, value in config.flags.items() if name not in _LEFT_OUT}
  settings |= {printable(path): printable(value) for path, value in model.items()
               if path != "name" and path not in config.flags}
  settings |= {f"{part}.{printable(name)}": printable(value) for part, values in
               hparams.split(config.flags.get("hparams"))[1].items()
               for name, value in values.items()}
  best = best_checkpoint.Best.load(train_dir)
  histories = {}
  for path in paths.files_of(train_dir, f"eval/*/{results.HISTORY}"):
    folder = os.path.dirname(path)
    lines = results.history(folder)
    for line in lines:
      try:
        fields.check(line, {"step": _NUMBER}, dict.fromkeys(results.NAMES, _NUMBER))
      except ValueError as error:
        raise ValueError(f"{path} is not the history of an evaluation "
                         f"({fields.reason(error)}): delete it.") from error
    if lines:
      histories[printable(os.path.basename(folder))] = lines
  return Run(name, settings, best.step if best else None, _num_parameters(train_dir),
             histories)


def _num_parameters(train_dir: str) -> int | None:
  for measured in results.find(train_dir).values():
    content = files.read_json(
        measured[-1], kind="a result of yt8m-eval", remedy="Delete it",
        parse=_parse_result)
    if "num_parameters" in content:
      return content["num_parameters"]
  return None


def _parse_result(content: dict[str, Any]) -> dict[str, Any]:
  fields.check(content, {}, {"num_parameters": fields.SIZE})
  fields.check(content, {}, {"num_parameters": _NUMBER})
  return content


def differing(runs: Sequence[Run]) -> list[str]:
  """Returns the names of the settings that differ between trainings."""
  names = dict.fromkeys(name for run in runs for name in run.settings)
  return [name for name in names
          if len({run.settings.get(name, "–") for run in runs}) > 1]
