# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Prediction: each model against its bare matrix products, and ordered by length.

The share of a large product is computed as in `steps`. A request is one video. The last
columns predict a window of batches whose lengths are those of YouTube-8M, in the
proportion of the frames of the case, padded to all frames and ordered by length. Known
shapes are those of a graph for full batches, as `yt8m-inference` has; the other graph
knows neither the number of videos nor that of frames.
"""

from typing import Any

import numpy as np

from benchmarks import inference
from benchmarks import timing
from benchmarks.suite import cases
from benchmarks.suite import flops
from yt8m.eval.predictions import by_length
from yt8m.models import prediction

TITLE = "Prediction of batches"
NOTE = ("Scores of a batch and of one video, all with all frames. By length: CPU seconds "
        "of a window padded to all frames divided by those in the order of lengths. "
        "Known shapes: CPU seconds of a batch without, divided by those with them.")
_TURNS = 3


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each model."""
  return cases.measured(row, quick)


def row(case: cases.Case, quick: bool = False) -> dict[str, Any]:
  """Measures one model."""
  model = case.build()
  predict = by_length.compiled(model, case.batch_size, 1)
  batch, request = case.batch(), case.batch(1)
  inputs, of_any_shape = prediction.model_inputs(batch), predict.functions[1]
  size = 256 if quick else timing.MATMUL
  ways = {"matmul": timing.large_product(size),
          "batch": lambda: predict(batch).numpy(),
          "any shape": lambda: of_any_shape(inputs).numpy(),
          "request": lambda: predict(request).numpy()}
  if case.frames > by_length.STEP * 2:
    window = _window(case)
    ways["padded"] = lambda: [predict(one).numpy() for one in window]
    ways["ordered"] = lambda: [
        one.numpy() for one in by_length.scores(predict, window, case.batch_size)]
  times = timing.in_turns(ways, 1 if quick else _TURNS)
  work = flops.of(lambda: model(prediction.model_inputs(request), training=False))
  limit = work / (2 * size ** 3)
  return {"model": case.name, "batch": case.batch_size,
          "ms a video": 1e3 * times["batch"].wall_s / case.batch_size,
          "% of matmul": case.batch_size * limit * timing.ratio(times, "matmul", "batch"),
          "ms a request": 1e3 * times["request"].wall_s,
          "request, % of matmul": limit * timing.ratio(times, "matmul", "request"),
          "known shapes ×": timing.ratio(times, "any shape", "batch"),
          "by length ×": (timing.ratio(times, "padded", "ordered")
                          if "ordered" in times else None)}


def _window(case: cases.Case) -> list[dict[str, Any]]:
  """Returns `WINDOW` batches with the lengths of YouTube-8M."""
  rng, batches = np.random.default_rng(0), []
  for _ in range(by_length.WINDOW):
    batch = case.batch()
    share = np.interp(rng.random(case.batch_size), inference.LENGTHS[1],
                      inference.LENGTHS[0]) / inference.MAX_FRAMES
    lengths = np.ceil(share * case.frames).astype(np.int32)
    batches.append({**batch, "num_frames": lengths})
  return batches
