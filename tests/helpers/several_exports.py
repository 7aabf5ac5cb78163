# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Exports several times in one process, and records what a server would see.

    python -m tests.helpers.several_exports root '[["--output_dir=…", …], …]'

Writes `{root}.seen.json`: for each export the files in `root` before it was complete, or
the error.
"""

import json
import os
import sys

from yt8m.artifacts import manifest
from yt8m.export import export_model


def main(root, exports):
  seen, write = [], manifest.write

  def look_and_write(directory):
    seen.append(
        {name: sorted(os.listdir(f"{root}/{name}")) for name in os.listdir(root)})
    write(directory)

  manifest.write = look_and_write
  for arguments in exports:
    for name in export_model.FLAGS:
      export_model.FLAGS[name].unparse()
    export_model.FLAGS(["yt8m-export", *arguments])
    try:
      export_model.main()
    except (ValueError, OSError) as error:
      seen.append(str(error))
  with open(f"{root}.seen.json", "w") as file:
    json.dump(seen, file)


if __name__ == "__main__":
  main(sys.argv[1], json.loads(sys.argv[2]))
