# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs a command several times in one process; prints the error of each run as JSON.

    python -m tests.helpers.repeated_command <module> <directory to run in> <JSON>

The JSON is a list of lists of arguments. An error is null if there was none.
"""

import importlib
import json
import os
import sys

from absl import flags


def main():
  name, folder, cases = sys.argv[1:]
  module = importlib.import_module(name)
  os.chdir(folder)
  errors = []
  for arguments in json.loads(cases):
    for flag in flags.FLAGS:
      flags.FLAGS[flag].unparse()
    actions = [argument for argument in arguments if not argument.startswith("--")]
    error = None
    try:
      flags.FLAGS([name, *(a for a in arguments if a not in actions)])
      module.main(*actions)
    except (Exception, SystemExit) as caught:
      error = f"{type(caught).__name__}: {caught}"
    errors.append(error)
  print("\n" + json.dumps(errors))


if __name__ == "__main__":
  main()
