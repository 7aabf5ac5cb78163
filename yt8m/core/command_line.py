# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a command line, in one line, before the command does anything.

`command.run` reads the flags that the modules of a command define. `early_errors` reads
the same command line with a kept list of them, before TensorFlow is imported.
"""

import dataclasses
import os
import re
from collections.abc import Sequence

from absl import flags

from yt8m.core import paths

HINT = "\n(--help shows all flags.)"


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


# Requirements of the modules that are imported, which are those of one command.
requirements: list[Requirement] = []


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


@dataclasses.dataclass(frozen=True)
class Syntax:
  """What a command line holds besides flags.

  Attributes:
    actions: Words of which it must have one, as in `yt8m-ensemble search`.
    arguments: What the words are that are no flags, of which it needs at least one, such
      as "training directories"; "" if there are none.
    requirements: Flags that it needs.
    named_by_path: Whether the arguments are paths or patterns of what is there.
  """
  actions: tuple[str, ...]
  arguments: str
  requirements: tuple[Requirement, ...]
  named_by_path: bool = False

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
    except flags.Error as error:
      raise SystemExit(f"ERROR: {str(error).removeprefix('ERROR:: ')}{HINT}") from error
    if self.arguments:
      if len(words) < 2:
        raise SystemExit(f"ERROR: Name {self.arguments}. --help shows an example.")
    else:
      for word in words[1:]:
        if word not in self.actions:
          raise SystemExit(f"ERROR: {_unexpected(word, argv, values)}")
      if len(words) != (2 if self.actions else 1):
        raise SystemExit(missing)
    self._check(values, words)
    return words

  def _check(self, values: flags.FlagValues, words: Sequence[str]) -> None:
    """Ends the command if a flag is missing, or a path is empty or does not exist."""
    try:
      paths.check_empty(values)
      for requirement in self.requirements:
        requirement.check(values, words)
    except (flags.Error, ValueError) as error:
      raise SystemExit(f"ERROR: {error}{HINT}") from error
    try:
      paths.check_inputs(values)
      if self.named_by_path:
        paths.check_named(words[1:], self.arguments)
    except (OSError, ValueError) as error:
      raise SystemExit(f"ERROR: {error}") from error


def asks_for_help(argv: Sequence[str]) -> bool:
  """Whether a command line asks for help of some kind, such as `--helpxml`."""
  return any(re.match(r"--?(help|\?)", word) for word in argv)


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
