# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Cost of verifying a SavedModel with its manifest, compared with reading its bytes.

  python benchmarks/manifest.py --mib=967

Writes a directory of the size of the ensemble of six members, and in turns reads it
(`open`, no checksum) and verifies it; or uses `--saved_model`, which yt8m-export wrote.
The files come from the page cache, as they do when TensorFlow loads them next.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from absl import app
from absl import flags

# As a script, only this folder is on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from yt8m.artifacts import manifest  # noqa: E402
from yt8m.core import files  # noqa: E402

_MIB = flags.DEFINE_integer("mib", 967, "Size of the generated directory.", 1)
_SAVED_MODEL = flags.DEFINE_string("saved_model", None, "SavedModel to use instead.")
_TURNS = flags.DEFINE_integer("turns", 5, "Turns.", 1)


def generate(directory: str) -> None:
  os.makedirs(os.path.join(directory, "variables"))
  block = np.random.default_rng(0).bytes(2**20)
  with open(os.path.join(directory, "variables", "data"), "wb") as file:
    for _ in range(_MIB.value):
      file.write(block)
  manifest.write(directory)


def read(directory: str) -> None:
  for path in files.files_below(directory):
    with open(path, "rb", buffering=0) as file:
      buffer = bytearray(2**20)
      while file.readinto(buffer):
        pass


def seconds(function: Callable[[str], None], directory: str) -> float:
  """Returns CPU seconds: only one thread works, and other processes must not count."""
  start = time.process_time()
  function(directory)
  return time.process_time() - start


def main(unused_argv: list[str]) -> None:
  with tempfile.TemporaryDirectory() as temporary:
    directory = _SAVED_MODEL.value or os.path.join(temporary, "model")
    if not _SAVED_MODEL.value:
      generate(directory)
    read(directory)
    turns = [[seconds(work, directory) for work in (read, manifest.verify)]
             for _ in range(_TURNS.value)]
    mib = files.bytes_on_disk(directory) / 2**20
  for name, times in zip(("raw read", "verify"), zip(*turns, strict=True), strict=True):
    middle = statistics.median(times)
    print(f"{name:<9} {middle:6.2f} s of CPU ({min(times):.2f} to {max(times):.2f})  "
          f"{mib / middle:8,.0f} MiB/s  of {mib:,.0f} MiB")


if __name__ == "__main__":
  app.run(main)
