# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training steps: share of a large matrix product, and against stock Keras layers.

In every turn the large product, our step, our step with the other choice of XLA, and the
step out of stock layers run one after another. The share is

    operations of the step's matrix products / CPU seconds of the step
    ------------------------------------------------------------------
    2 · 4096³ / CPU seconds of a 4096 x 4096 product in the same turn

`flops` says how products are counted: with two videos, and scaled to the batch, since
they are proportional to its size.
"""

from typing import Any

from benchmarks import timing
from benchmarks.suite import cases
from benchmarks.suite import flops
from benchmarks.suite import stock
from yt8m.core import types
from yt8m.training import step as train_steps

TITLE = "Training steps"
NOTE = ("One step of `yt8m-train` with its defaults, on a batch that is in memory. "
        "Stock: the same products out of Keras layers, without masks, clipping and L2. "
        "XLA ×: what `--jit_compile` does to the speed; above 1 it helps. "
        "Compiled: whether it is the default.")
_SAMPLE = 2  # videos with which the products are counted


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each model."""
  return cases.measured(row, quick)


def row(case: cases.Case, quick: bool = False) -> dict[str, Any]:
  """Measures one model."""
  batch, size = case.batch(), 256 if quick else timing.MATMUL
  step = case.trainer()
  work, times = _measured(case, step, batch, size, 1 if quick else timing.TURNS)
  limit = work / (2 * size ** 3)
  has_stock = "stock" in times
  plain, compiled = ("other", "ours") if step.jit_compile else ("ours", "other")
  return {
      "model": case.name, "batch": case.batch_size, "frames": case.frames,
      "GFLOP": work / 1e9, "wall s": times["ours"].wall_s, "CPU s": times["ours"].cpu_s,
      "% of matmul": limit * timing.ratio(times, "matmul", "ours"),
      "stock % of matmul": (
          limit * timing.ratio(times, "matmul", "stock") if has_stock else None),
      "speed over stock ×": timing.ratio(times, "stock", "ours") if has_stock else None,
      "XLA ×": timing.ratio(times, plain, compiled),
      "compiled": "yes" if step.jit_compile else "no"}


def _measured(case: cases.Case, step: train_steps.TrainStep, batch: types.Batch,
              size: int, turns: int) -> tuple[float, dict[str, timing.Times]]:
  """Returns the operations of a step, and the times of all ways."""
  other = case.trainer(jit_compile=not step.jit_compile)
  plain = other if step.jit_compile else step
  work = flops.of(lambda: plain(case.batch(_SAMPLE))) * case.batch_size / _SAMPLE
  ways = {"matmul": timing.large_product(size),
          "ours": lambda: step(batch).label_loss.numpy(),
          "other": lambda: other(batch).label_loss.numpy()}
  call = stock.model(case)
  if call is not None:
    ways["stock"] = stock.training_step(call, batch)
  return work, timing.in_turns(ways, turns)

