# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a command line, in one line, before the command does anything.

`command.run` reads the flags that the modules of a command define. `early_errors` reads
the same command line with a kept list of them, before TensorFlow is imported.
"""

import dataclasses
import math
import os
import re
from collections.abc import Sequence

from absl import flags

from yt8m.core import fields
from yt8m.core import paths

HINT = "\n(--help shows all flags.)"
_HELP = re.compile(r"--?(h|help|helpshort|helpfull|helpxml|\?)")
_LARGEST = 2**31 - 1
_LONGEST = 1000


@dataclasses.dataclass(frozen=True)
class Requirement:
  """Flags of which exactly one must have a value.

  Attributes:
    names: Names of the flags.
    message: Error if none of them, or more than one, has a value.
    unless: Flags with which none of them is needed.
    actions: Actions that need one; none: the command always does.
  """
  names: tuple[str, ...]
  message: str
  unless: tuple[str, ...] = ()
  actions: tuple[str, ...] = ()

  def check(self, values: flags.FlagValues, words: Sequence[str]) -> None:
    """Raises flags.ValidationError unless exactly one of the flags has a value."""
    if self.actions and not {*self.actions} & {*words}:
      return
    if any(values[name].value for name in self.unless):
      return
    if sum(bool(values[name].value) for name in self.names) != 1:
      raise flags.ValidationError(self.message)


# What the modules that are imported ask for, which are those of one command.
requirements: list[Requirement] = []
without_inputs: list[str] = []


def require(name: str, remedy: str, unless: Sequence[str] = (),
            actions: Sequence[str] = ()) -> None:
  """Requires a value of a flag.

  Args:
    name: Name of the flag.
    remedy: Imperative clause for the error, such as "name the CSV to write".
    unless: Flags with which it is not needed.
    actions: Actions that need it. Default: the command always does.
  """
  require_one((name,), f"--{name} is missing: {remedy}.", unless, actions)


def require_one(names: Sequence[str], message: str, unless: Sequence[str] = (),
                actions: Sequence[str] = ()) -> None:
  """Requires a value of exactly one flag; the arguments are those of `Requirement`."""
  requirements.append(Requirement(
      tuple(names), message, tuple(unless), tuple(actions)))


def read_nothing_with(*names: str) -> None:
  """Names flags with which the command reads none of its inputs, such as `--list`."""
  without_inputs.extend(names)


@dataclasses.dataclass(frozen=True)
class Syntax:
  """What a command line holds besides flags.

  Attributes:
    actions: Words of which it must have one, as in `yt8m-ensemble search`.
    arguments: What the words are that are no flags, of which it needs at least one, such
      as "training directories"; "" if there are none.
    requirements: Flags that it needs.
    named_by_path: Whether the arguments are paths or patterns of what is there.
    without_inputs: Flags with which no input is read, so that none must exist.
  """
  actions: tuple[str, ...]
  arguments: str
  requirements: tuple[Requirement, ...]
  named_by_path: bool = False
  without_inputs: tuple[str, ...] = ()

  @classmethod
  def of_modules(cls, actions: Sequence[str] = (), arguments: str = "",
                 named_by_path: bool = False) -> "Syntax":
    """Returns the syntax of the command whose modules are imported."""
    return cls(tuple(actions), arguments, tuple(requirements), named_by_path,
               tuple(without_inputs))

  def read(self, values: flags.FlagValues, argv: Sequence[str]) -> list[str]:
    """Sets the flags; returns the name of the program and the other words.

    Args:
      values: The flags of the command.
      argv: Words of the command line, the name of the program first.

    Raises:
      SystemExit: There is an error; the text says which, and what to do.
    """
    missing = (f"ERROR: Say what to do, one of {', '.join(self.actions)}. --help shows "
               "examples.")
    # First, since required flags are those of an action.
    if self.actions and not asks_for_help(argv) and not {*self.actions} & {*argv}:
      raise SystemExit(missing)
    try:
      words = values(list(argv))
    except (flags.Error, ValueError) as error:  # absl raises both
      text = str(error).removeprefix("ERROR:: ")
      raise SystemExit(f"ERROR: {fields.printable(text, _LONGEST)}{HINT}") from error
    except RecursionError as error:  # It looks for flags of similar names.
      raise SystemExit(f"ERROR: A flag has too long a name.{HINT}") from error
    if self.arguments:
      if len(words) < 2:
        raise SystemExit(f"ERROR: Name {self.arguments}. --help shows an example.")
    else:
      for word in words[1:]:
        if word not in self.actions:
          raise SystemExit(f"ERROR: {_unexpected(word, argv, values)}")
      if len(words) > 2:
        raise SystemExit(f"ERROR: {' and '.join(words[1:])} are several actions: give "
                         "one at a time.")
      if len(words) != (2 if self.actions else 1):
        raise SystemExit(missing)
    self._check(values, words)
    return words

  def _check(self, values: flags.FlagValues, words: Sequence[str]) -> None:
    """Ends the command if a flag is missing, or a path is empty or does not exist."""
    try:
      paths.check_empty(values)
      check_numbers(values)
      for requirement in self.requirements:
        requirement.check(values, words)
    except (flags.Error, ValueError) as error:
      raise SystemExit(f"ERROR: {error}{HINT}") from error
    try:
      if not any(values[name].value for name in self.without_inputs):
        paths.check_inputs(values)
      if self.named_by_path:
        paths.check_named(words[1:], self.arguments)
    except (OSError, ValueError) as error:
      raise SystemExit(f"ERROR: {error}") from error


def check_numbers(values: flags.FlagValues) -> None:
  """Refuses numbers on the command line that no flag can mean.

  The bounds of a flag stand in its definition, but NaN is not below any bound, and
  TensorFlow has 32 bits for most whole numbers.

  Raises:
    ValueError: A number is not finite, or is too large; the flag is named.
  """
  for name in values:
    flag = values[name]
    value = flag.value if flag.present else None
    if isinstance(value, float) and not math.isfinite(value):
      raise ValueError(f"--{name}={value} must be a finite number.")
    if type(value) is int and abs(value) > _LARGEST:
      raise ValueError(
          f"--{name}={fields.short(value, 30)} must be at most {_LARGEST:,}.")


def asks_for_help(argv: Sequence[str]) -> bool:
  """Whether a command line asks for help of some kind, such as `--helpxml`."""
  return any(map(_HELP.fullmatch, argv))


def _unexpected(word: str, argv: Sequence[str], values: flags.FlagValues) -> str:
  """Returns what to do about a word on the command line that is no flag."""
  if not os.path.exists(word):
    return f"Unexpected argument {word!r}: flags begin with --, as --name=value."
  before = argv[:argv.index(word)] if word in argv else []
  names = [name.lstrip("-").partition("=")[0] for name in before if name[:1] == "-"]
  flag = f"--{names[-1]}" if names and names[-1] in values else "--flag"
  return (f"{word} is a file without a flag. If the shell put it in place of a pattern, "
          f"write the pattern in quotes, such as {flag}='{_pattern(word)}'.")


def _pattern(path: str) -> str:
  """Returns a pattern that a file may have been found by."""
  stem, extension = os.path.splitext(os.path.basename(path))
  start = stem.rstrip("0123456789").removesuffix("-of-").rstrip("0123456789")
  return os.path.join(os.path.dirname(path), f"{start}*{extension}")
