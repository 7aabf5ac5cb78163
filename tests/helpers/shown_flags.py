# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Prints what flags of a command are after `--data`.

    python -m tests.helpers.shown_flags yt8m.train num_classes,max_frames --data=data
"""

import importlib
import sys

from absl import flags

from yt8m.configs import data_flag


def main():
  module, names, *arguments = sys.argv[1:]
  importlib.import_module(module)
  flags.FLAGS([module, *arguments])
  try:
    data_flag.apply()
  except (ValueError, OSError) as error:
    print("ERROR", error)
  for name in names.split(","):
    print(name, flags.FLAGS[name].value)


if __name__ == "__main__":
  main()
