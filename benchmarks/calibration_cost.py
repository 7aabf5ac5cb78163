# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a calibration adds to the time of a prediction.

  python -m benchmarks.calibration_cost

Each model predicts a batch, and one video, without a calibration and with one of the size
that a million label sets give: 50,000 label sets with 210,828 labels. The weights are
random; the time does not depend on them.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import logging

from benchmarks import timing
from benchmarks.suite import cases
from benchmarks.suite import report
from yt8m.eval.predictions import by_length

_CALIBRATION = {"num_sets": 50_000, "num_labels": 210_828}
_MODELS = ("LogisticModel", "MoeModel (2)", "concat-NetVLAD-C128-MoE4",
           "concat-BLSTM-MoE2")
_BATCH_SIZE = 32


def row(case: cases.Case) -> dict[str, Any]:
  """Measures one model, all of whose videos have 300 frames."""
  case = dataclasses.replace(
      case, batch_size=_BATCH_SIZE, frames=case.frames and cases.NUM_FRAMES)
  calibrated = dataclasses.replace(
      case, options={**case.options, "calibration": _CALIBRATION})
  ways, batch, request = {}, case.batch(), case.batch(1)
  for name, one in (("plain", case), ("calibrated", calibrated)):
    predict = by_length.compiled(one.build(), _BATCH_SIZE, 1)
    ways[f"{name} batch"] = lambda predict=predict: predict(batch).numpy()
    ways[f"{name} request"] = lambda predict=predict: predict(request).numpy()
  times = timing.in_turns(ways)
  return {"model": case.name,
          "ms a video": 1e3 * times["plain batch"].wall_s / _BATCH_SIZE,
          "calibrated": 1e3 * times["calibrated batch"].wall_s / _BATCH_SIZE,
          "time ×": timing.ratio(times, "calibrated batch", "plain batch", "wall"),
          "ms a request": 1e3 * times["plain request"].wall_s,
          "calibrated request": 1e3 * times["calibrated request"].wall_s,
          "request ×": timing.ratio(
              times, "calibrated request", "plain request", "wall")}


def main(argv: Sequence[str]) -> None:
  del argv
  logging.set_verbosity(logging.ERROR)
  print(f"load {timing.load()}")
  rows = [row(case) for case in cases.all_cases() if case.name in _MODELS]
  print(report.table(rows))


if __name__ == "__main__":
  app.run(main)
