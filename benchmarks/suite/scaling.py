# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How the CPU time grows with each size: the exponent e of `time ∝ size^e`."""

import dataclasses
from collections.abc import Callable
from typing import Any

from benchmarks import ensemble_search
from benchmarks import timing
from benchmarks.suite import cases

TITLE = "Scaling exponents"
NOTE = ("1 is proportional, 0 is a fixed cost. One size is changed, everything else "
        "stays; CPU seconds of one training step, or of one search.")
_TURNS = 3


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each size that is changed."""
  netvlad = next(c for c in cases.all_cases() if c.name == "concat-NetVLAD-C128-MoE4")
  moe = next(c for c in cases.all_cases() if c.name == "MoeModel (2)")
  netvlad = dataclasses.replace(netvlad, batch_size=32, frames=100)
  moe = dataclasses.replace(moe, batch_size=256)
  sweeps: dict[str, tuple[list[int], Callable[[int], cases.Case]]] = {
      "videos of a batch": ([16, 32, 64, 128], lambda n: dataclasses.replace(
          netvlad, batch_size=n)),
      "frames": ([50, 100, 200, 300], lambda n: dataclasses.replace(netvlad, frames=n)),
      "clusters": ([32, 64, 128, 256], lambda n: _with(
          netvlad, "aggregation", clusters=n)),
      "classes": ([1000, 2000, 4000, 8000], lambda n: dataclasses.replace(
          moe, num_classes=n)),
      "experts": ([2, 4, 8], lambda n: _with(moe, "classifier", num_mixtures=n)),
  }
  found = []
  for name, (sizes, make) in sweeps.items():
    sizes = sizes[:2] if quick else sizes
    ways = {str(size): _step(_tiny(make(size)) if quick else make(size))
            for size in sizes}
    times = timing.in_turns(ways, 1 if quick else _TURNS)
    found.append(_row(name, sizes, [times[str(size)].cpu_s for size in sizes]))
  sizes, videos = ([8, 16], 100) if quick else ([8, 16, 32], 10_000)
  costs = [ensemble_search.search(size, videos, 4).cpu_seconds for size in sizes]
  return [*found, _row("candidates of an ensemble", sizes, costs)]


def _row(name: str, sizes: list[int], seconds: list[float]) -> dict[str, Any]:
  return {"size": name, "from": sizes[0], "to": sizes[-1], "CPU s at first": seconds[0],
          "CPU s at last": seconds[-1],
          "exponent": timing.exponent([float(size) for size in sizes], seconds)}


def _with(case: cases.Case, part: str, **changes: Any) -> cases.Case:
  return dataclasses.replace(
      case, options={**case.options, part: {**case.options[part], **changes}})


def _tiny(case: cases.Case) -> cases.Case:
  return dataclasses.replace(
      case, frames=min(case.frames, 4), batch_size=min(case.batch_size, 8),
      num_classes=min(case.num_classes, 30), sizes=(("rgb", 16), ("audio", 8)))


def _step(case: cases.Case) -> Callable[[], Any]:
  step, batch = case.trainer(), case.batch()
  return lambda: step(batch).label_loss.numpy()
