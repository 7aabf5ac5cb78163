# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is searched: parameters of a training, each with a range or with choices.

    base_learning_rate=1e-4..1e-1:log      a number, uniform in its logarithm
    batch_size=64,128,256                  one of several texts
    classifier.head.num_mixtures=2..8      a whole number; a hyperparameter of --set
"""

import dataclasses
import re
from collections.abc import Iterable

from yt8m.core import fields

Value = str | int | float

_LARGEST = 2**31 - 1
_NAME = re.compile(r"[A-Za-z]\w*(\.\w+)*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_FORM = ("Write NAME=LOW..HIGH, NAME=LOW..HIGH:log or NAME=ONE,OTHER with a flag of "
         "yt8m-train or a path of --set, such as base_learning_rate=1e-4..1e-1:log.")


@dataclasses.dataclass(frozen=True)
class Parameter:
  """A flag or a hyperparameter with the values that are tried.

  Attributes:
    name: Name of a flag of `yt8m-train`, or path of a hyperparameter for `--set`, which
      has a dot in it.
    low: Smallest number; None for choices.
    high: Largest number. If both are whole, so are the values.
    is_log: Whether the logarithm of the number is drawn uniformly.
    choices: Texts to choose from; empty for a range.
  """
  name: str
  low: int | float | None = None
  high: int | float | None = None
  is_log: bool = False
  choices: tuple[str, ...] = ()

  @classmethod
  def parse(cls, text: str) -> "Parameter":
    """Returns the parameter that a value of `--search` describes.

    >>> from yt8m.eval.tuning import space
    >>> space.Parameter.parse("batch_size=64,128").choices
    ('64', '128')

    Raises:
      ValueError: The text has another form, or a range is empty.
    """
    def fault(reason):
      return ValueError(f"--search={fields.short(text)} {reason}. {_FORM}")

    name, equals, values = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
      raise fault("names no flag or hyperparameter")
    start, dots, end = values.partition("..")
    if not dots:
      choices = tuple(choice.strip() for choice in values.split(","))
      if len(set(choices)) < len(choices) or len(choices) < 2 or "" in choices:
        raise fault("needs at least two values, which differ")
      return cls(name, choices=choices)
    end, _, scale = end.partition(":")
    if not _NUMBER.fullmatch(start) or not _NUMBER.fullmatch(end) or (
        scale not in ("", "log")):
      raise fault("is no range of numbers")
    low, high = map(_number, (start, end))
    if type(low) is not type(high):
      low, high = float(low), float(high)
    if not -_LARGEST <= low < high <= _LARGEST:
      raise fault(f"is empty or reaches beyond {_LARGEST:,}")
    if scale and low <= 0:
      raise fault("must begin above 0 for its logarithm")
    return cls(name, low, high, bool(scale))

  def accepts(self, value: Value) -> bool:
    """Whether a value is one of those that are tried."""
    if self.choices:
      return value in self.choices
    return (isinstance(value, (int, float)) and type(value) is type(self.low)
            and self.low is not None and self.high is not None
            and self.low <= value <= self.high)

  def argument(self, value: Value) -> str:
    """Returns the argument of `yt8m-train` that sets the parameter."""
    flag = f"--set={self.name}" if "." in self.name else f"--{self.name}"
    return f"{flag}={value}"


def parse(texts: Iterable[str]) -> list[Parameter]:
  """Returns the parameters of all values of `--search`.

  Raises:
    ValueError: There is none, one has another form, or two are of the same name.
  """
  parameters = [Parameter.parse(text) for text in texts]
  names = [parameter.name for parameter in parameters]
  if not names:
    raise ValueError(f"--search is missing. {_FORM}")
  for name in names:
    if names.count(name) > 1:
      raise ValueError(f"--search names {name} twice: leave out one.")
  return parameters


def short(value: Value) -> str:
  """Returns a value for tables and logs, a number with four digits."""
  return f"{value:.4g}" if isinstance(value, float) else str(value)


def _number(text: str) -> int | float:
  return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)
