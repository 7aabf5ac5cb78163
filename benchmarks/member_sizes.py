# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Sizes of the six exported members of the ensemble.

  python benchmarks/member_sizes.py

Runs `yt8m-export --untrained` for every member, with 3,862 classes, in a temporary
directory, and adds up the sizes on disk.
"""

import os
import re
import subprocess
import sys
import tempfile

from absl import app
from absl import flags

# As a script, only this folder is on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from yt8m.configs import recipes  # noqa: E402

_CLASSES = flags.DEFINE_integer("num_classes", 3862, "Number of classes.", 2)


def mib_on_disk(member: str) -> list[float]:
  """Exports one member; returns the MiB of its weights and of its directory."""
  with tempfile.TemporaryDirectory() as directory:
    output = subprocess.run(
        [sys.executable, "-m", "yt8m.export.export_model", f"--model={member}",
         "--untrained", f"--num_classes={_CLASSES.value}",
         f"--output_dir={directory}/model"], check=True, text=True,
        stdout=subprocess.PIPE, cwd=os.path.dirname(os.path.dirname(__file__)) or ".",
        ).stdout
  return [float(size) for size in re.findall(r"bytes +([0-9.]+) MiB", output)]


def main(_) -> None:
  print(f"{'member':<30} {'weights':>12} {'on disk':>12}")
  total = 0
  for member in recipes.MEMBERS:
    weights, disk = mib_on_disk(member)
    total += disk
    print(f"{member:<30} {weights:>8.2f} MiB {disk:>8.2f} MiB", flush=True)
  print(f"{'together':<30} {'':>12} {total:>8.2f} MiB")


if __name__ == "__main__":
  app.run(main)
