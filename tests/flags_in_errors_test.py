# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Errors name flags that a command has: one that raises them, or one that they name."""

import ast
import json
import re

import pytest

from tests import layout_test
from yt8m.core import commands
from yt8m.core import help_text

# Flags of absl, and of `ray start`.
OTHERS = {"flagfile", "head", "help"}


def flags_of(command):
  """Returns the flags of a command, those that are off included."""
  with open(f"{help_text.FOLDER}/{command}.json", encoding="utf-8") as file:
    names = set(json.load(file)["flags"])
  return names | {f"no{name}" for name in names}


FLAGS = {command: flags_of(command) for command in commands.COMMANDS}


def tree(name):
  return ast.parse((layout_test.ROOT / layout_test.MODULES[name]).read_text())


def needed(name):
  """Returns the modules that a module imports, or names for a lazy import."""
  texts = {node.value for node in ast.walk(tree(name))
           if isinstance(node, ast.Constant) and isinstance(node.value, str)}
  # This one names all commands.
  named = texts & layout_test.MODULES.keys() if name != commands.__name__ else set()
  return (layout_test.imported_modules(name) | named) - {"yt8m"}


def reached_by_commands():
  """Returns `{module: commands that may import it}`."""
  arrows = {name: needed(name) for name in layout_test.MODULES}
  found = {name: set() for name in arrows}
  for command, start in commands.COMMANDS.items():
    left = [start]
    while left:
      name = left.pop()
      if name in found and command not in found[name]:
        found[name].add(command)
        left.extend(arrows[name])
  return found


def texts(node, constants):
  """Yields the texts of an expression, with those of constants of the module."""
  if isinstance(node, ast.JoinedStr):
    yield "".join(part.value if isinstance(part, ast.Constant) else "{}"
                  for part in node.values)
  elif isinstance(node, ast.Constant) and isinstance(node.value, str):
    yield node.value
  elif isinstance(node, ast.Name) and node.id in constants:
    yield from texts(constants.pop(node.id), constants)
  for child in ast.iter_child_nodes(node):
    if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
      yield from texts(child, constants)


def errors(module):
  """Yields the line and the text of each error that a module raises."""
  constants = {node.targets[0].id: node.value for node in module.body
               if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}
  for node in ast.walk(module):
    if isinstance(node, ast.Raise) and node.exc:
      yield node.lineno, " ".join(texts(node.exc, dict(constants)))


def wrong_flags(text, raising):
  """Returns the flags in an error that neither its commands nor those it names have."""
  named = FLAGS.keys() & re.findall(r"yt8m-[a-z-]+", text)
  valid = OTHERS.union(*(FLAGS[command] for command in (raising or {*FLAGS}) | named))
  return set(re.findall(r"(?<![\w-])--([a-z]\w*)(?![\w-])", text)) - valid


def test_errors_name_flags_of_the_commands_that_raise_them():
  reached, found = reached_by_commands(), {}
  for name, path in layout_test.MODULES.items():
    for line, text in errors(tree(name)):
      found[f"{path}:{line}"] = wrong_flags(text, reached[name])
  assert len(found) > 500
  assert not {place: flags for place, flags in found.items() if flags}


@pytest.mark.parametrize("source, flags", [
    ("raise ValueError(f'--{name}={x} needs --train_dir.')", set()),
    ("raise ValueError('Add --overwritten.')", {"overwritten"}),
    ("A = f'{1} --b'\nraise ValueError(f'Write {A}: --nooverwrite.')", {"b"}),
    ("raise ValueError('--top_k is wrong.')", {"top_k"}),
    ("raise ValueError('--top_k of yt8m-inference is wrong.')", set())])
def test_such_flags_are_found(source, flags):
  [(_, text)] = errors(ast.parse(source))
  assert wrong_flags(text, {"yt8m-calibrate", "yt8m-train"} - (
      {"yt8m-calibrate"} if "top_k" in source else set())) == flags
