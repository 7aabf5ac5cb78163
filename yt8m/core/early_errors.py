# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Errors in a command line at once: TensorFlow is not imported.

The flags of every command, in `yt8m/core/help/<command>.json`, are written by `make docs`
from the flags themselves.
"""

import dataclasses
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags

from yt8m.core import command_line
from yt8m.core import help_text
from yt8m.core import log_lines
from yt8m.core import paths

# A flag of another kind accepts any text here.
_BOOLEAN, _WHOLE, _NUMBER = "boolean", "whole number", "number"
_CHOICE, _PATH, _PATTERN, _ALIAS, _TEXT = "choice", "path", "pattern", "alias", "text"
# How the help text of an alias begins, before the name of the flag.
_OF_ALIAS = "Alias for --"


def end_if_any() -> None:
  """Ends the process with status 1 if the command line of a command has an error."""
  command = help_text.command(sys.argv, getattr(sys, "orig_argv", []))
  path = os.path.join(help_text.FOLDER, f"{command}.json")
  if (command is None or command_line.asks_for_help(sys.argv)
      or not os.path.exists(path) or _has_pipe(sys.argv)):
    return
  with open(path, encoding="utf-8") as file:
    values, syntax = declare(json.load(file))
  try:
    syntax.read(values, sys.argv)
  except SystemExit as error:
    log_lines.write("ERROR", str(error))
    sys.exit(1)


def _has_pipe(words: Sequence[str]) -> bool:
  """Whether flags are in a pipe, which can be read only once."""
  named = re.findall(r"(?:^|\0)--?flagfile[=\0]([^\0]*)", "\0".join(words))
  return any(os.path.exists(path) and not os.path.isfile(path) for path in named)


def describe(values: flags.FlagValues, syntax: command_line.Syntax) -> dict[str, Any]:
  """Returns what `declare` makes flags of: an object for a JSON file."""
  return {**dataclasses.asdict(syntax),
          "flags": {name: _entry(values[name]) for name in sorted(values)}}


def declare(config: dict[str, Any]) -> tuple[flags.FlagValues, command_line.Syntax]:
  """Returns the flags and the syntax of a command.

  Args:
    config: What `describe` returned.
  """
  values = flags.FlagValues()
  aliases = {}
  for name, entry in config["flags"].items():
    kind, default = entry["kind"], entry.get("default")
    if kind == _BOOLEAN:
      flags.DEFINE_bool(name, default, "", values)
    elif kind in (_WHOLE, _NUMBER):
      define = flags.DEFINE_integer if kind == _WHOLE else flags.DEFINE_float
      least, most = entry["bounds"]
      define(name, default, "", lower_bound=least, upper_bound=most, flag_values=values)
    elif kind == _CHOICE:
      flags.DEFINE_enum(name, default, entry["choices"], "", values)
    elif kind == _PATH:
      paths.define(name, default, "", entry["must_exist"], values)
    elif kind == _PATTERN:
      paths.define_pattern(name, default, "", entry["is_checked"], values)
    elif kind == _ALIAS:
      aliases[name] = entry["of"]
    else:
      flags.DEFINE_string(name, default, "", values)
  for name, original in aliases.items():
    flags.DEFINE_alias(name, original, values)
  requirements = [command_line.Requirement(
      tuple(entry["names"]), entry["message"], tuple(entry["unless"]),
      tuple(entry["actions"])) for entry in config["requirements"]]
  return values, command_line.Syntax(
      tuple(config["actions"]), config["arguments"], tuple(requirements),
      config["named_by_path"], tuple(config["without_inputs"]))


def _entry(flag: flags.Flag) -> dict[str, Any]:
  """Returns the kind of a flag, and what its values are checked by."""
  parser, default = flag.parser, flag.default
  if flag.help.startswith(_OF_ALIAS):
    return {"kind": _ALIAS, "of": flag.help.removeprefix(_OF_ALIAS).rstrip(".")}
  if isinstance(flag, paths.PatternFlag):
    return {"kind": _PATTERN, "default": default, "is_checked": flag.is_checked}
  if isinstance(parser, paths.PathParser):
    return {"kind": _PATH, "default": default, "must_exist": parser.must_exist}
  if flag.boolean:
    return {"kind": _BOOLEAN, "default": default}
  # Other classes may read the text in their own way.
  if type(flag) is flags.EnumFlag and isinstance(parser, flags.EnumParser):
    return {"kind": _CHOICE, "default": default, "choices": list(parser.enum_values)}
  if type(flag) is flags.Flag and isinstance(
      parser, (flags.IntegerParser, flags.FloatParser)):
    kind = _WHOLE if isinstance(parser, flags.IntegerParser) else _NUMBER
    return {"kind": kind, "default": default,
            "bounds": [parser.lower_bound, parser.upper_bound]}
  return {"kind": _TEXT, "default": default if isinstance(default, str) else None}
