# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The types of the entries of a JSON object, so that a wrong one is named at once.

Python is generous: `True` is an `int`, `range("é")` fails only much later, and JSON files
hold NaN and numbers of any size. A `Kind` says exactly what an entry may be.
"""

import dataclasses
import math
import sys
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

_LARGEST = 2**31 - 1

# Errors of Python for content that has another form than the code expects.
UNFIT = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
         RecursionError)


@dataclasses.dataclass(frozen=True)
class Kind:
  """A set of JSON values.

  Attributes:
    text: Description for errors, e.g. `"a text"`.
    accepts: Function that returns whether a value is one of the set.
  """
  text: str
  accepts: Callable[[Any], bool]

  def __or__(self, other: "Kind") -> "Kind":
    return Kind(f"{self.text} or {other.text}",
                lambda value: self.accepts(value) or other.accepts(value))


def _is_number(value: Any) -> bool:
  # An int may be too large for the comparison with infinity to be exact, but not wrong.
  return type(value) in (int, float) and (
      math.isfinite(value) if isinstance(value, float)
      else abs(value) <= sys.float_info.max)


ANY = Kind("anything", lambda value: True)
NULL = Kind("null", lambda value: value is None)
BOOL = Kind("true or false", lambda value: isinstance(value, bool))
TEXT = Kind("a text", lambda value: isinstance(value, str))
NAME = Kind("a text that is not empty",
            lambda value: isinstance(value, str) and value != "")
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
NUMBER = Kind("a finite number", _is_number)
SIZE = Kind("a whole number from 0 on", lambda value: type(value) is int and value >= 0)
COUNT = Kind(f"a whole number from 1 to {_LARGEST:,}",
             lambda value: type(value) is int and 1 <= value <= _LARGEST)


def one_of(values: Collection[Any]) -> Kind:
  """Returns the kind of a few values; `1` is neither `1.0` nor `True`."""
  names = ", ".join(map(repr, values))
  return Kind(f"one of {names}" if len(values) > 1 else names, lambda value: any(
      type(value) is type(other) and value == other for other in values))


def list_of(kind: Kind, plural: str) -> Kind:
  """Returns the kind of a list.

  Args:
    kind: Kind of every entry.
    plural: Description of several entries for errors, e.g. `"texts"`.
  """
  return Kind(f"a list of {plural}",
              lambda value: isinstance(value, (list, tuple))
              and all(map(kind.accepts, value)))


def object_of(kind: Kind, plural: str) -> Kind:
  """Returns the kind of an object whose entries are all of one kind."""
  return Kind(f"an object of {plural}", lambda value: isinstance(value, dict)
              and all(map(kind.accepts, value.values())))


def check(content: Mapping[str, Any], kinds: Mapping[str, Kind],
          optional: Mapping[str, Kind] | None = None, where: str = "") -> None:
  """Checks the entries of a JSON object; those that are not named may be anything.

  >>> from yt8m.core import fields
  >>> fields.check({"max_frames": "é"}, {"max_frames": fields.COUNT})
  Traceback (most recent call last):
  ValueError: max_frames is 'é', but must be a whole number from 1 to 2,147,483,647

  Args:
    content: The object.
    kinds: Kinds of the entries that must be there, by name.
    optional: Kinds of entries that may be missing.
    where: Beginning of the errors, such as `"row 'moe': "`.

  Raises:
    ValueError: An entry is missing or of another kind; the message names it.
  """
  if not isinstance(content, dict):
    raise ValueError(f"{where}{short(content)} is there, but must be an object")
  for name, kind in {**kinds, **(optional or {})}.items():
    if name in content and not kind.accepts(content[name]):
      raise ValueError(
          f"{where}{name} is {short(content[name])}, but must be {kind.text}")
    if name in kinds and name not in content:
      raise ValueError(f"{where}it has no entry {name!r}, {kind.text}")


def not_finite(value: Any) -> float | None:
  """Returns the first number of a JSON value that is NaN or infinite; None if all are.

  >>> from yt8m.core import fields
  >>> fields.not_finite({"units": [1, 2.5], "rate": float("inf")})
  inf

  Args:
    value: A value as `json.loads` returns it.
  """
  if isinstance(value, float):
    return None if math.isfinite(value) else value
  inner = (value.values() if isinstance(value, dict)
           else value if isinstance(value, (list, tuple)) else ())
  return next((found for one in inner if (found := not_finite(one)) is not None), None)


def reason(error: BaseException) -> str:
  """Returns the text of an error of `UNFIT` in one line, without a full stop."""
  text = (f"it has no entry {error}" if isinstance(error, KeyError)
          else "it is nested too deeply" if isinstance(error, RecursionError)
          else str(error) or type(error).__name__)
  return " ".join(text[:1000].split()).rstrip(".")


def printable(text: str, length: int | None = 80) -> str:
  r"""Returns the beginning of a text without control characters, for terminals.

  >>> from yt8m.core import fields
  >>> print(fields.printable("a\x1b[2Jb"))
  a\x1b[2Jb

  Args:
    text: Text of a file.
    length: Most characters to show; None for all.
  """
  shown = "".join(one if one.isprintable() else repr(one)[1:-1]
                  for one in (text if length is None else text[:length + 1]))
  return shown if length is None or len(shown) <= length else f"{shown[:length]}…"


def short(value: Any, length: int = 80) -> str:
  """Returns the beginning of a value in one line, for errors."""
  try:
    text = repr(value)
  except (ValueError, RecursionError):  # more than 4,300 digits, or 1,000 lists
    text = f"<{type(value).__name__}, too large to be shown>"
  return text if len(text) <= length else f"{text[:length]}…"
