# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Time and memory of a beam search for an ensemble, on synthetic predictions.

  python -m benchmarks.ensemble_search
  python -m benchmarks.ensemble_search --num_videos=10000 --sweep=cost.png

Every candidate sees the true labels through noise, part of which is common to all. The
time of one score is compared with its lower bound: sorting the 20 best scores of every
video as plain numbers. `--sweep` repeats the search for fewer and more candidates,
videos and subsets in the beam, one changed at a time, and draws the cost.
"""

import dataclasses
import os
import resource
import time
from typing import Any

import numpy as np
from absl import app
from absl import flags
from absl import logging

from benchmarks import timing
from yt8m.core import plots
from yt8m.eval.blending import averaging
from yt8m.eval.blending import choosing
from yt8m.eval.blending import contributions
from yt8m.eval.blending import gap
from yt8m.eval.blending import search as ensemble_search
from yt8m.eval.metrics import streaming

_CANDIDATES = flags.DEFINE_integer("num_candidates", 30, "Trained models.", 1)
_VIDEOS = flags.DEFINE_integer("num_videos", 50_000, "Videos of the predictions.", 1)
_SLOTS = flags.DEFINE_integer("num_slots", 64, "Classes per video, over all models.", 1)
_STORED = flags.DEFINE_integer("stored_classes", 50, "Classes per video and model.", 1)
_MODELS = flags.DEFINE_integer("num_models", 6, "Most members.", 1)
_WIDTH = flags.DEFINE_integer("beam_width", 10, "Subsets kept at each level.", 1)
_AVERAGING = flags.DEFINE_enum("averaging", "probabilities", averaging.AVERAGINGS,
                               "Form of the scores to average.")
_METHOD = flags.DEFINE_enum("search", "beam", ensemble_search.METHODS, "Method.")
_LEARN = flags.DEFINE_bool("learn_weights", True, "Search with learned weights.")
_SWEEP = flags.DEFINE_string("sweep", None, "PNG for the cost of other sizes.")

TITLE = "Score of an ensemble"
NOTE = ("GAP of one subset of the models. Limit: one `np.sort` of the 20 best scores of "
        "every video as plain numbers.")
_LABELS = 3  # labels of a video, on average
_MIB = 2 ** 20
_FACTORS = (1 / 4, 1 / 2, 1, 2)


def synthetic(num_candidates: int, num_videos: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns `(scores, hits)` in the form of `AlignedPredictions`."""
  rng = np.random.default_rng(0)
  shape = num_videos, _SLOTS.value
  hits = rng.random(shape) < _LABELS / _SLOTS.value
  shared = rng.normal(-4, 1.2, shape).astype(np.float32) + 3 * hits
  scores = np.empty((num_candidates, *shape), np.float16)
  for model_scores in scores:
    noise = rng.uniform(0.8, 2) * rng.standard_normal(shape, np.float32)
    probabilities = 1 / (1 + np.exp(-shared - noise))
    first = max(_SLOTS.value - _STORED.value, 0)
    least = np.partition(probabilities, first, axis=1)[:, first, np.newaxis]
    model_scores[:] = np.where(probabilities >= least, probabilities, 0)
  return scores, hits


@dataclasses.dataclass(frozen=True)
class Cost:
  """A search and its cost.

  Attributes:
    result: Result of the search.
    ensemble: The members, their weights, and what they add.
    seconds: Elapsed time of the search.
    cpu_seconds: CPU time of the search.
    score_ms: Milliseconds of one score, the median of several.
    sort_ms: Milliseconds of a sort of the best scores, likewise.
  """
  result: ensemble_search.SearchResult
  ensemble: contributions.Ensemble
  seconds: float
  cpu_seconds: float
  score_ms: float
  sort_ms: float


def search(num_candidates: int, num_videos: int, beam_width: int) -> Cost:
  """Searches for the best ensemble of synthetic models."""
  scores, hits = synthetic(num_candidates, num_videos)
  sizes = np.random.default_rng(1).integers(100 * _MIB, 200 * _MIB, num_candidates)
  start, start_cpu = time.perf_counter(), time.process_time()
  transformed = averaging.transform(scores, _AVERAGING.value)
  scorer = gap.BlendScorer(transformed, hits, int(np.count_nonzero(hits)))
  options = choosing.Options(
      num_models=_MODELS.value, budget_bytes=1024 * _MIB, search=_METHOD.value,
      beam_width=beam_width, averaging=_AVERAGING.value, learn_weights=_LEARN.value)
  result, ensemble = choosing.choose(
      scorer, [f"model{i:03}" for i in range(num_candidates)], sizes.tolist(), options)
  seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
  times = score_and_sort(transformed, scorer, min(_MODELS.value, num_candidates))
  return Cost(result, ensemble, seconds, cpu, *(1e3 * t.wall_s for t in times.values()))


def score_and_sort(transformed: np.ndarray, scorer: gap.BlendScorer, num_models: int,
                   turns: int = timing.TURNS) -> dict[str, timing.Times]:
  """Returns the times of one score, and of its lower bound."""
  parent = tuple(range(num_models - 1)), (1.0,) * (num_models - 1)
  best = np.partition(transformed[0].astype(np.float32), -streaming.TOP_K, axis=1)
  best = best[:, -streaming.TOP_K:]
  return timing.in_turns({"one score": lambda: scorer(*parent, num_models - 1),
                          "np.sort": lambda: np.sort(best, axis=None)}, turns)


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for one score, and one for its limit."""
  scores, hits = synthetic(_MODELS.value, 500 if quick else _VIDEOS.value)
  transformed = averaging.transform(scores, _AVERAGING.value)
  scorer = gap.BlendScorer(transformed, hits, int(np.count_nonzero(hits)))
  times = score_and_sort(transformed, scorer, len(scores), 1 if quick else timing.TURNS)
  return [{"what": name, "ms": 1e3 * t.wall_s, "CPU ms": 1e3 * t.cpu_s,
           "% of np.sort, CPU": timing.ratio(times, "np.sort", name)}
          for name, t in times.items()]


def sweep(path: str) -> None:
  """Changes one of the three sizes at a time, and prints and draws the cost."""
  base = {"num_candidates": _CANDIDATES.value, "num_videos": _VIDEOS.value,
          "beam_width": _WIDTH.value}
  figure = plots.figure(11, 3.6)
  axes = figure.subplots(1, len(base), sharey=True)
  axes[0].set_ylabel("seconds")
  for axis, name in zip(axes, base, strict=True):
    values = [max(round(base[name] * factor), 1) for factor in _FACTORS]
    if name == "num_candidates":
      values = [max(value, _MODELS.value) for value in values]
    costs = []
    for value in values:
      costs.append(cost := search(**base | {name: value}))
      print(f"{name:16}{value:8,}{cost.seconds:9.1f} s{cost.cpu_seconds:9.1f} CPU s"
            f"{len(cost.result.nodes):8,} subsets")
    axis.plot(values, [cost.seconds for cost in costs], marker="o", label="elapsed")
    axis.plot(values, [cost.cpu_seconds for cost in costs], marker="o", label="CPU")
    axis.set(xlabel=name.replace("_", " "), xlim=(0, None), ylim=(0, None))
    axis.spines[["top", "right"]].set_visible(False)
  axes[0].legend(frameon=False)
  fixed = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in base.items())
  figure.suptitle(f"Beam search for {_MODELS.value} models; where not varied: {fixed}")
  plots.save(figure, path)


def main(_):
  logging.set_verbosity(logging.INFO)
  cost = search(_CANDIDATES.value, _VIDEOS.value, _WIDTH.value)
  result = cost.result
  rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20  # from KiB
  subsets, members = len(result.nodes), cost.ensemble
  print(f"{_CANDIDATES.value} candidates x {_VIDEOS.value:,} videos x {_SLOTS.value} "
        f"slots, up to {_MODELS.value} models, {_METHOD.value}, "
        f"beam {_WIDTH.value}, learned weights {_LEARN.value}, averaging "
        f"{_AVERAGING.value}, {os.cpu_count()} cores\n"
        f"search            {cost.seconds:9.1f} s, {cost.cpu_seconds:.1f} CPU s, "
        f"{subsets:,} subsets, "
        f"{1e3 * cost.cpu_seconds / subsets:.1f} CPU ms each\n"
        f"one score alone   {cost.score_ms:9.1f} ms\n"
        f"np.sort of n * 20 {cost.sort_ms:9.1f} ms, "
        f"score / sort = {cost.score_ms / cost.sort_ms:.2f}\n"
        f"peak memory       {rss:9.2f} GiB\n"
        f"best              GAP {members.gap:.5f}, weights "
        f"{members.weights.round(3).tolist()}")
  if _SWEEP.value:
    sweep(_SWEEP.value)


if __name__ == "__main__":
  app.run(main)
