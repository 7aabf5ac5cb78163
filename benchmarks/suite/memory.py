# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Peak memory of training, each model in a process of its own.

A small process starts the measured one and reports its `ru_maxrss`: Linux counts what a
process used before `exec`, which is the memory of the process that started it.
"""

import subprocess
import sys
from typing import Any

from benchmarks.suite import cases

TITLE = "Peak memory of training"
NOTE = "Two steps on one batch in a new process, with TensorFlow and the optimizer."
_STEPS = 2
_MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each model; with `quick`, for the first only."""
  chosen = cases.all_cases(quick)[:1 if quick else None]
  return [{"model": case.name, "batch": case.batch_size, "frames": case.frames,
           "MiB": _peak(index, quick)} for index, case in enumerate(chosen)]


def _peak(index: int, quick: bool) -> float:
  """Returns the peak of training the case of that index, in MiB."""
  return peak_of([sys.executable, "-m", "benchmarks.suite.memory", str(index),
                  str(int(quick))])


def peak_of(command: list[str]) -> float:
  """Returns the peak resident memory of a command in MiB.

  Raises:
    RuntimeError: It failed; the message is what it wrote.
  """
  process = subprocess.run([sys.executable, "-c", _MEASURE, *command],
                           capture_output=True, text=True)
  if process.returncode:
    raise RuntimeError(process.stderr)
  return int(process.stdout.split()[-1]) / 1024


def train(index: int, quick: bool) -> None:
  """Trains a case for a few steps."""
  case = cases.all_cases(quick)[index]
  step, batch = case.trainer(), case.batch()
  for _ in range(_STEPS):
    step(batch).label_loss.numpy()


if __name__ == "__main__":
  train(int(sys.argv[1]), bool(int(sys.argv[2])))
