# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision on this machine: training steps, compared with float32."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from benchmarks import timing
from benchmarks.suite import cases

TITLE = "Mixed precision"
NOTE = ("CPU seconds of a step in float32 divided by those of the same step in mixed "
        "precision, of at most 16 videos of 50 frames: above 1 it helps. For XLA see the "
        "training steps.")
_TURNS = 3
_POLICIES = {"bfloat16 ×": "mixed_bfloat16", "float16 ×": "mixed_float16"}


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each model."""
  return cases.measured(row, quick)


def row(case: cases.Case, quick: bool = False) -> dict[str, Any]:
  """Measures one model."""
  case = dataclasses.replace(case, batch_size=min(case.batch_size, 16),
                             frames=min(case.frames, 50))
  ways = {"float32": _step(case, "float32")}
  ways |= {name: _step(case, policy) for name, policy in _POLICIES.items()}
  times = timing.in_turns(ways, 1 if quick else _TURNS)
  return {"model": case.name, "batch": case.batch_size, "frames": case.frames,
          "float32, CPU s": times["float32"].cpu_s,
          **{name: timing.ratio(times, "float32", name) for name in _POLICIES}}


def _step(case: cases.Case, policy: str) -> Callable[[], Any]:
  """Returns a function that trains for a step; the policy is that of its layers."""
  tf.keras.mixed_precision.set_global_policy(policy)
  try:
    step, batch = case.trainer(), case.batch()
  finally:
    tf.keras.mixed_precision.set_global_policy("float32")
  return lambda: step(batch).label_loss.numpy()
