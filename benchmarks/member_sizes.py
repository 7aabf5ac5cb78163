# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Sizes of the six members of the ensemble, exported for real.

  python benchmarks/member_sizes.py

Exports every member untrained, for 3,862 classes, by `yt8m-export`, one after the other
into a temporary directory, and adds up what lies on disk.
"""

import os
import re
import subprocess
import sys
import tempfile

from absl import app
from absl import flags

# Run as a script, only this folder would be on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from yt8m.configs import recipes  # noqa: E402

_CLASSES = flags.DEFINE_integer("num_classes", 3862, "Number of classes.", 2)


def mib_on_disk(member):
  """Exports one member; returns MiB of its weights, and of its directory."""
  with tempfile.TemporaryDirectory() as directory:
    output = subprocess.run(
        [sys.executable, "-m", "yt8m.export.export_model", f"--model={member}",
         "--untrained", f"--num_classes={_CLASSES.value}",
         f"--output_dir={directory}/model"], check=True, text=True,
        stdout=subprocess.PIPE, cwd=os.path.dirname(os.path.dirname(__file__)) or ".",
        ).stdout
  return [float(size) for size in re.findall(r"bytes +([0-9.]+) MiB", output)]


def main(_):
  print(f"{'member':<30} {'weights':>12} {'on disk':>12}")
  total = 0
  for member in recipes.MEMBERS:
    weights, disk = mib_on_disk(member)
    total += disk
    print(f"{member:<30} {weights:>8.2f} MiB {disk:>8.2f} MiB", flush=True)
  print(f"{'together':<30} {'':>12} {total:>8.2f} MiB")


if __name__ == "__main__":
  app.run(main)
