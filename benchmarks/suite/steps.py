# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training steps: share of a large matrix product, and against stock Keras layers.

In every turn the large product, our step, the step out of stock layers and our step
compiled by XLA run one after another. The share is

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

TITLE = "Training steps"
NOTE = ("One step of `yt8m-train` with its defaults, on a batch that is in memory. "
        "Stock: the same products out of Keras layers, without masks, clipping and L2. "
        "XLA: `--jit_compile`; above 1 it helps.")
_SAMPLE = 2  # videos with which the products are counted


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each model."""
  return [row(case, quick) for case in cases.all_cases(quick)]


def row(case: cases.Case, quick: bool = False) -> dict[str, Any]:
  """Measures one model."""
  batch, size = case.batch(), 256 if quick else timing.MATMUL
  step = case.trainer()
  work = flops.of(lambda: step(case.batch(_SAMPLE))) * case.batch_size / _SAMPLE
  compiled = case.trainer(jit_compile=True)
  ways = {"matmul": timing.large_product(size),
          "ours": lambda: step(batch).label_loss.numpy(),
          "XLA": lambda: compiled(batch).label_loss.numpy()}
  call = stock.model(case)
  if call is not None:
    ways["stock"] = stock.training_step(call, batch)
  times = timing.in_turns(ways, 1 if quick else timing.TURNS)
  share = work / (2 * size ** 3) * timing.ratio(times, "matmul", "ours")
  found = {"model": case.name, "batch": case.batch_size, "frames": case.frames,
           "GFLOP": work / 1e9, "wall s": times["ours"].wall_s,
           "CPU s": times["ours"].cpu_s, "% of matmul": share}
  found["stock % of matmul"] = found["speed over stock ×"] = None
  if call is not None:
    found["speed over stock ×"] = timing.ratio(times, "stock", "ours")
    found["stock % of matmul"] = (
        work / (2 * size ** 3) * timing.ratio(times, "matmul", "stock"))
  found["XLA ×"] = timing.ratio(times, "ours", "XLA")
  return found
