# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How long a training step waits for its batch, as a share of the whole step.

Frame-level records with the lengths of YouTube-8M are read, shuffled, by the reader of
`yt8m-train`, while the step of the model runs, as in the training loop.
"""

import os
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks import readers
from benchmarks import timing
from benchmarks.suite import cases
from yt8m.core import feature_spec

TITLE = "Input wait"
NOTE = ("Elapsed time from the end of a step until the next batch is there, divided by "
        "the time from one step to the next; median over the steps.")
_STEPS, _SECONDS = 3, 3.0  # that at least are measured
_BLSTM_BATCH = 16  # a step of 128 videos with all frames takes 10 s
_NAMES = ("LogisticModel", "MoeModel (2)", "FrameLevelLogisticModel",
          "sum-NetVLAD-C64-MoE4", "concat-NetVLAD-diff-C64-MoE4",
          "concat-NetVLAD-C128-MoE4", "concat-BLSTM-MoE2", "attention-BLSTM-MoE2",
          "concat-BLSTM-CG-MoE2")


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each model; with `quick`, for the first and the third."""
  chosen = [case for case in cases.all_cases() if case.name in _NAMES]
  chosen = [chosen[0], chosen[2]] if quick else chosen
  found = []
  with tempfile.TemporaryDirectory() as folder:
    patterns = {}
    for level, videos in ((feature_spec.FRAME, 512), (feature_spec.VIDEO, 8192)):
      os.mkdir(os.path.join(folder, level))
      patterns[level] = readers.write_records(
          os.path.join(folder, level), level, 64 if quick else videos, 4)
    for case in chosen:
      level = feature_spec.FRAME if case.frames else feature_spec.VIDEO
      batch_size = 4 if quick else (
          _BLSTM_BATCH if "BLSTM" in case.name else case.batch_size)
      waits, whole = _steps(case, readers.dataset(
          patterns[level], level, batch_size, training=True).repeat())
      found.append({"model": case.name, "batch": batch_size, "steps": len(whole),
                    "ms a step": 1e3 * float(np.median(whole)),
                    "wait, % of the step": float(np.median(np.divide(waits, whole))),
                    "load": timing.load().split(",")[0]})
  return found


def _steps(case: cases.Case, dataset: Any) -> tuple[list[float], list[float]]:
  """Returns the seconds of each wait, and of each step with its wait."""
  step, waits, whole = case.trainer(), [], []
  batches = iter(dataset)
  step(next(batches)).label_loss.numpy()  # traced
  while len(whole) < _STEPS or sum(whole) < _SECONDS and len(whole) < 50:
    start = time.perf_counter()
    batch = next(batches)
    waits.append(time.perf_counter() - start)
    step(batch).label_loss.numpy()
    whole.append(time.perf_counter() - start)
  return waits, whole
