# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Prints what a command makes of odd numbers: JSON, `{flag: {number: error or null}}`.

    python -m tests.helpers.numeric_flags yt8m.train
"""

import importlib
import json
import sys

from absl import flags

from yt8m.core import command_line

NUMBERS = ("0", "-1", "nan", "inf", "-inf")
LARGE = ("1000000000000", "9" * 50)  # which a float may be


def main(module: str) -> None:
  importlib.import_module(module)
  kinds = (flags._argument_parser.IntegerParser, flags._argument_parser.FloatParser)
  names = [name for name in flags.FLAGS
           if isinstance(flags.FLAGS[name].parser, kinds)
           and flags.FLAGS.find_module_defining_flag(name).startswith("yt8m")]
  for name in flags.FLAGS:
    flags.FLAGS[name].validators.clear()
  print(json.dumps({name: {number: _error(name, number) for number in (
      NUMBERS + LARGE * isinstance(flags.FLAGS[name].parser, kinds[0]))}
                    for name in names}))


def _error(name, number):
  flags.FLAGS.unparse_flags()
  flags.FLAGS[name].unparse()
  try:
    flags.FLAGS(["command", f"--{name}={number}"])
    command_line.check_numbers(flags.FLAGS)
  except (flags.Error, ValueError) as error:
    return str(error)
  return None


if __name__ == "__main__":
  main(sys.argv[1])
