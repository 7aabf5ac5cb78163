# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Names for the options: a dictionary that refuses duplicates and helps with typos."""

import contextlib
import difflib
import importlib
import types
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any


def unknown(kind: str, name: object, valid: Iterable[str], hint: str = "") -> ValueError:
  """Returns the error for a name that is not one of the valid ones, to be raised.

  >>> from yt8m.core import registry
  >>> print(registry.unknown("colour", "gren", ["blue", "green"], "Use --colour."))
  Unknown colour 'gren'. Valid: green, blue. Use --colour.

  Args:
    kind: Noun for what has the name, e.g. `"optimizer"` or the flag `"--strategy"`.
    name: The name that was given.
    valid: The valid names. The one closest to `name` is listed first.
    hint: Sentence to add, such as where to set the name.
  """
  valid = list(valid)
  closest = difflib.get_close_matches(str(name), valid, n=1, cutoff=0.0)
  names = ", ".join(closest + [other for other in valid if other not in closest])
  return ValueError(f"Unknown {kind} {name!r}. Valid: {names or 'none'}. {hint}".rstrip())


# Module prefixes and names that may be imported.
_allowed: tuple[str, ...] = ()


@contextlib.contextmanager
def allow_code(names: Iterable[str]) -> Iterator[None]:
  """Lets registries import classes from outside this package, while the block runs.

  Args:
    names: Module prefixes, as in `--allow_code`, or single names
      (`my_package.my_module:MyClass`).
  """
  global _allowed
  before, _allowed = _allowed, (*_allowed, *names)
  try:
    yield
  finally:
    _allowed = before


def allowed_code() -> tuple[str, ...]:
  """Returns what `allow_code` allows at present, to pass it on to another process."""
  return _allowed


def is_allowed(name: str) -> bool:
  """Whether `allow_code` allows the module of `my_package.my_module:MyClass`."""
  return _is_allowed(name, name.partition(":")[0])


def _is_allowed(name: str, module: str) -> bool:
  return name in _allowed or any(
      f"{module}.".startswith(f"{prefix}.") for prefix in _allowed)


class Registry(dict[str, Any]):
  """Maps names to classes or functions of one kind.

  >>> from yt8m.core import registry
  >>> fusions = registry.Registry("fusion")
  >>> @fusions.register("concat")
  ... class Concat: ...
  >>> fusions["concat"] is Concat
  True

  Besides its registered names, a registry resolves `my_package.my_module:MyClass`,
  so that a user's own option needs no change here. As names also come from files of
  other people, `allow_code` must allow such a class first.

  Args:
    kind: Noun for the entries in errors, e.g. `"fusion"`.
    base: Class that an imported class must extend, or several of which it extends one.
    functions: Whether a function may be imported, too. As a package has many functions
      for other purposes, each must be allowed by its whole name.
  """

  def __init__(self, kind: str, base: type | tuple[type, ...] = object,
               functions: bool = False):
    super().__init__()
    self.kind, self._functions = kind, functions
    self._base = base if isinstance(base, tuple) else (base,)

  def register(self, name: str, entry: Any = None) -> Any:
    """Registers `entry` under `name`; without `entry`, returns a decorator.

    Raises:
      ValueError: The name is registered already.
    """
    if entry is None:
      return lambda entry: self.register(name, entry)
    if name in self:
      raise ValueError(f"{self.kind} {name!r} is registered already, as {self[name]!r}: "
                       "choose another name.")
    self[name] = entry
    return entry

  def __missing__(self, name: str) -> Any:
    """Imports the class that `name` names, if `allow_code` allows it."""
    module, colon, attribute = name.partition(":")
    if not colon:
      raise unknown(self.kind, name, self,
                    "Or name your own class as my_package.my_module:MyClass.")
    if not _is_allowed(name, module):
      raise ValueError(
          f"{self.kind} {name!r} is code from outside yt8m. A name that was read from a "
          "file is not imported: if you trust this code, add "
          f"--allow_code={module.partition('.')[0]} to the command line.")
    try:
      entry = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
      raise ValueError(
          f"{self.kind} {name!r} could not be imported: {error}. Write it as "
          "my_package.my_module:MyClass, importable from where the command runs "
          "(PYTHONPATH).") from error
    if isinstance(entry, type):
      fits = issubclass(entry, self._base) and _is_allowed(name, entry.__module__)
    elif self._functions and isinstance(entry, types.FunctionType):
      fits = name in _allowed
      if not fits:
        raise ValueError(f"{self.kind} {name!r} is a function, which must be named in "
                         f"full: add --allow_code={name} to the command line.")
    else:
      fits = isinstance(entry, self._base)
    if not fits:
      raise ValueError(
          f"{self.kind} {name!r} is not allowed: it must be a "
          f"{' or '.join(base.__name__ for base in self._base)} that is defined "
          f"below --allow_code={','.join(_allowed)}.")
    return entry

  def __iter__(self) -> Iterator[str]:
    return iter(sorted(self.keys()))
