# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Names for the options: a dictionary that refuses duplicates and helps with typos."""

import difflib
import importlib


class Registry:
  """Maps names to classes or functions of one kind.

  >>> fusions = Registry("fusion")
  >>> @fusions.register("concat")
  ... class Concat: ...
  >>> fusions["concat"] is Concat
  True

  Besides its registered names, a registry resolves `my_package.my_module:MyClass`,
  so that a user's own option needs no change here.
  """

  def __init__(self, kind):
    self.kind = kind
    self._entries = {}

  def register(self, name, entry=None):
    """Registers `entry` under `name`; without `entry`, returns a decorator."""
    if entry is None:
      return lambda entry: self.register(name, entry)
    if name in self._entries:
      raise ValueError(
          f"{self.kind} {name!r} is registered already, as {self._entries[name]!r}: "
          "choose another name.")
    self._entries[name] = entry
    return entry

  def __getitem__(self, name):
    if name in self._entries:
      return self._entries[name]
    module_name, colon, attribute = name.partition(":")
    if colon:
      return self._import(name, module_name, attribute)
    raise ValueError(f"Unknown {self.kind} {name!r}. {self._suggestion(name)}")

  def _import(self, name, module_name, attribute):
    try:
      return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
      raise ValueError(
          f"{self.kind} {name!r} could not be imported: {error}. Write it as "
          "my_package.my_module:MyClass, importable from where the command runs "
          "(PYTHONPATH).") from error

  def _suggestion(self, name):
    closest = difflib.get_close_matches(name, self._entries, n=1, cutoff=0.0)
    others = [n for n in self.names() if n not in closest]
    return (f"Valid: {', '.join(closest + others)}, or your own class as "
            "my_package.my_module:MyClass.")

  def names(self):
    return sorted(self._entries)

  def __iter__(self):
    return iter(self.names())

  def __contains__(self, name):
    return name in self._entries
