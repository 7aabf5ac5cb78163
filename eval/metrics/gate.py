# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Conditions that an evaluation must meet, for pipelines that ship models.

    --require='gap>=0.68,ece<=0.02'
    --baseline=metrics-1000.json --max_regression=gap:0.002,avg_loss:0.1
"""

import dataclasses
import operator
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import registry
from yt8m.eval.metrics import calibration
from yt8m.eval.metrics import streaming

# Metrics that may be named, and those of which less is better.
NAMES = (*streaming.TITLES, *calibration.TITLES)
_LESS_IS_BETTER = {"avg_loss", *calibration.TITLES}
_OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_REQUIREMENT = re.compile(rf"\s*(\w+)\s*(>=|<=|>|<)\s*({_NUMBER})\s*")
_REGRESSION = re.compile(rf"\s*(\w+)\s*:\s*({_NUMBER})\s*")


def less_is_better(name: str, own: Mapping[str, bool] | None = None) -> bool:
  """Whether a smaller value of a metric is a better one.

  Args:
    name: Name of the metric.
    own: The same for metrics of the user's own, by name.
  """
  return (own or {}).get(name, name in _LESS_IS_BETTER)


@dataclasses.dataclass(frozen=True)
class Requirement:
  """A bound of a metric.

  Attributes:
    name: Name of the metric, one of `NAMES`.
    sign: How the value must compare with the bound, such as ">=".
    bound: The bound.
    reason: Where the bound comes from, for the error.
  """
  name: str
  sign: str
  bound: float
  reason: str

  def failure(self, values: Mapping[str, Any]) -> str | None:
    """Returns what is wrong with the values of the metrics; None if nothing is."""
    value = values[self.name]
    if _OPERATORS[self.sign](value, self.bound):
      return None
    return (f"{self.name} is {value:.10g}, must be {self.sign} {self.bound:.10g} "
            f"{self.reason}")


def required(texts: Sequence[str], own: Mapping[str, bool] | None = None
             ) -> list[Requirement]:
  """Returns the requirements of `--require`.

  >>> from yt8m.eval.metrics import gate
  >>> [r.name for r in gate.required(["gap>=0.68", "ece <= 0.02"])]
  ['gap', 'ece']

  Args:
    texts: Texts such as `"gap>=0.68"`, or several with commas between them.
    own: Further metrics that may be named, and whether less is better.

  Raises:
    ValueError: A text is no requirement, or its metric is unknown.
  """
  found = []
  for text in _parts(texts):
    match = _REQUIREMENT.fullmatch(text)
    if not match:
      raise ValueError(f"--require={fields.short(text)} is no condition: write one like "
                       "gap>=0.68, and quote the flag.")
    name, sign, bound = match.groups()
    found.append(Requirement(
        known(name, "--require", own), sign, float(bound), "(--require)"))
  return found


@dataclasses.dataclass(frozen=True)
class Baseline:
  """The metrics of an earlier model, and how much worse than these a new one may be.

  Attributes:
    path: Path of the `metrics-<step>.json` of the earlier model.
    content: Content of the file.
    allowed: How much worse each metric may be, by its name.
    own: Further metrics that may be named, and whether less is better.
  """
  path: str
  content: Mapping[str, Any]
  allowed: Mapping[str, float]
  own: Mapping[str, bool] | None = None

  @classmethod
  def load(cls, path: str, regressions: Sequence[str],
           own: Mapping[str, bool] | None = None) -> "Baseline":
    """Reads a baseline.

    Args:
      path: Value of `--baseline`.
      regressions: Values of `--max_regression`, texts such as `"gap:0.002"`.
      own: As the attribute.

    Raises:
      ValueError: A text or the file is not as described.
    """
    allowed = {}
    for text in _parts(regressions):
      match = _REGRESSION.fullmatch(text)
      if not match:
        raise ValueError(
            f"--max_regression={fields.short(text)} is not like gap:0.002.")
      if known(match[1], "--max_regression", own) in allowed:
        raise ValueError(f"--max_regression names {match[1]} twice.")
      allowed[match[1]] = float(match[2])
    if not allowed:
      raise ValueError("--baseline needs --max_regression, such as gap:0.002.")

    def parse(content):
      fields.check(content, {"num_positives": fields.OBJECT})
      lacking = [name for name in allowed if not fields.NUMBER.accepts(content.get(name))]
      if lacking:
        raise ValueError(f"it has no {', '.join(lacking)}")
      return cls(path, content, allowed, own)

    return files.read_json(
        path, kind="a result of yt8m-eval", parse=parse,
        remedy="Give --baseline a metrics-<step>.json that yt8m-eval wrote")

  def requirements(self, num_positives: Iterable[int], settings: Mapping[str, Any]
                   ) -> list[Requirement]:
    """Returns the requirements.

    Args:
      num_positives: Number of positives of every class in the data that the new model
        was evaluated on.
      settings: `top_k` and `label_loss` of that evaluation.

    Raises:
      ValueError: The earlier model was evaluated on other videos or in another way.
    """
    for name, value in settings.items():
      if self.content.get(name) != value:
        raise ValueError(
            f"--baseline={self.path} was measured with {name} "
            f"{self.content.get(name)!r}, this model with {value!r}: they cannot be "
            "compared. Evaluate the earlier model in the same way.")
    now = {str(c): int(n) for c, n in enumerate(num_positives) if n}
    if self.content["num_positives"] != now:
      raise ValueError(
          f"--baseline={self.path} was measured on other videos: the positives of the "
          "classes differ. Evaluate the earlier model on --eval_data_pattern.")
    found = []
    for name, most in self.allowed.items():
      less, old = less_is_better(name, self.own), self.content[name]
      found.append(Requirement(
          name, "<=" if less else ">=", old + most if less else old - most,
          f"({old:.10g} in {self.path}, --max_regression={name}:{most:g})"))
    return found


def check(requirements: Sequence[Requirement], values: Mapping[str, Any]) -> None:
  """Raises ValueError with all requirements that the values of metrics do not meet."""
  failures = [text for r in requirements if (text := r.failure(values))]
  if failures:
    raise ValueError(f"The model must not be used: {'; '.join(failures)}.")


def _parts(texts: Iterable[str]) -> list[str]:
  return [part for text in texts for part in text.split(",")]


def known(name: str, flag: str, own: Iterable[str] | None = None,
          own_flag: str = "--metrics") -> str:
  """Returns the name of a metric.

  Args:
    name: The name.
    flag: Flag that has it, for the error.
    own: Further metrics that may be named.
    own_flag: Flag that names these, for the error.

  Raises:
    ValueError: There is no such metric.
  """
  valid = (*NAMES, *(own or ()))
  if name not in valid:
    raise registry.unknown("metric", name, valid,
                           f"Set it with {flag}, and name your own with {own_flag}.")
  return name
