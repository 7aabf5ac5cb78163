# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The parts of a docstring: first sentence, equations, arguments, reference.

The form is that of docs/adding_an_option.md; docstrings of Keras have nearly the same.
"""

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Any

_HEADING = re.compile(r"^(Args|Call arguments|Returns|Yields|Raises|Attributes|"
                      r"References?|Examples?|Usage)(:( |$))")
_ARGUMENT = re.compile(r"^ {2,4}\*{0,2}(\w+): *(.*)")


@dataclasses.dataclass(frozen=True)
class Docstring:
  """The parts of a docstring. What it does not have is empty.

  >>> from yt8m.core import docstrings
  >>> text = '''Doubles x: `y = 2 x`. It is fast.
  ...
  ...     y = 2 x
  ...
  ... Args:
  ...   x: The number.
  ...
  ... Reference: Euclid.'''
  >>> docstrings.parse(text)
  Docstring(summary='Doubles x: `y = 2 x`.', equations='    y = 2 x', \
arguments={'x': 'The number.'}, reference='Euclid.')

  Attributes:
    summary: The first sentence, in one line.
    equations: The first indented block before the arguments, as it is.
    arguments: Description of each argument, in one line.
    reference: The reference, in one line.
  """
  summary: str = ""
  equations: str = ""
  arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)
  reference: str = ""


def parse(text: str) -> Docstring:
  """Returns the parts of a docstring."""
  sections, name = {"": []}, ""
  for line in inspect.cleandoc(text).splitlines():
    if heading := _HEADING.match(line):
      name, line = heading[1], line[heading.end():]
    sections.setdefault(name, []).append(line)
  first = " ".join("\n".join(sections[""]).split("\n\n")[0].split())
  # A full stop within a formula or a name has no space and capital letter behind it.
  summary = re.split(r"(?<=\.) (?=[A-Z])", first)[0]
  reference = "\n".join(sections.get("Reference", sections.get("References", [])))
  return Docstring(summary, _first_block(sections[""]),
                   _arguments(sections.get("Args", [])), " ".join(reference.split()))


def inherited(source: Any) -> Docstring:
  """Returns the docstring of a class or function, completed by those of its bases.

  A class describes only the arguments that it adds to those of a base.
  """
  bases = [base for base in getattr(source, "__mro__", [source])[1:]
           if base.__module__.startswith("yt8m.")]
  # Not `__doc__` of a base, which a class without docstring takes from its own base.
  found = [parse(source.__doc__ or ""),
           *(parse(vars(base).get("__doc__") or "") for base in bases)]
  arguments = {}
  for part in reversed(found):
    arguments.update(part.arguments)
  return Docstring(
      found[0].summary, next((part.equations for part in found if part.equations), ""),
      arguments, next((part.reference for part in found if part.reference), ""))


def _first_block(lines: list[str]) -> str:
  """Returns the first block of indented lines that is no example."""
  block = []
  for line in lines:
    if line.startswith("    ") and not line.lstrip().startswith((">>>", "...")):
      block.append(line.rstrip())
    elif line.strip() and block:
      break
    elif block:
      block.append("")
  return "\n".join(block).rstrip()


def _arguments(lines: list[str]) -> dict[str, str]:
  found, name, indent = {}, None, 0
  for line in lines:
    argument = _ARGUMENT.match(line)
    depth = len(line) - len(line.lstrip())
    if argument and (name is None or depth <= indent):
      name, indent = argument[1], depth
      found[name] = argument[2]
    elif name and line.strip():
      found[name] = f"{found[name]} {line.strip()}".strip()
  return found
