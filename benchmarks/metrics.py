# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Time of `EvaluationMetrics`, compared with a loop over videos and classes.

  python benchmarks/metrics.py

The loop does what the YouTube-8M starter code does: for each video a partition for PERR
and one for the top k, for each class a list, for each prediction a push on the heap of
its class and on the global one; at the end it shuffles and sorts every heap. Both get
the same synthetic batches and must agree. Ours must be 15 times as fast.
"""

import heapq
import itertools
import os
import random
import sys
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

# As a script, only this folder is on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from yt8m.eval.metrics import streaming  # noqa: E402

_BATCHES = flags.DEFINE_integer("num_batches", 5, "Batches to evaluate.", 1)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 1024, "Videos per batch.", 1)
_CLASSES = flags.DEFINE_integer("num_classes", 3862, "Number of classes.", 2)
_TOP_K = flags.DEFINE_integer("top_k", 20, "Predictions per video.", 1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the synthetic predictions.")

_REQUIRED_RATIO = 15
_REPEATS = 5


def synthetic_batch(rng: np.random.Generator, batch_size: int, num_classes: int,
                    ) -> tuple[np.ndarray, np.ndarray]:
  """Returns scores of a mediocre model, and labels with realistic frequencies."""
  frequency = 1 / np.arange(1, num_classes + 1)
  labels = rng.random((batch_size, num_classes)) < 3 * frequency / frequency.sum()
  logits = rng.normal(size=labels.shape) + np.log(frequency) - 2 + 4 * labels
  return (1 / (1 + np.exp(-logits))).astype(np.float32), labels


class LoopAveragePrecision:
  """Computes the average precision of one list, entry by entry."""

  def __init__(self):
    self._heap, self._total = [], 0

  def accumulate(self, scores: Sequence[float], labels: Sequence[bool],
                 num_positives: int) -> None:
    self._total += int(num_positives)
    for i in range(len(scores)):
      heapq.heappush(self._heap, (scores[i], labels[i]))

  def get(self) -> float | None:
    if not self._total:
      return None
    shuffled = random.sample(self._heap, len(self._heap))
    scores = np.array([score for score, _ in shuffled])
    labels = np.array([label for _, label in shuffled])
    order = sorted(range(len(scores)), key=lambda i: scores[i], reverse=True)
    hits, ap = 0, 0.0
    for rank, i in enumerate(order, start=1):
      if labels[i] > 0:
        hits += 1
        ap += hits / rank / self._total
    return ap


class LoopMetrics:
  """Computes the four metrics, video by video and class by class."""

  def __init__(self, num_classes: int, top_k: int):
    self._num_classes, self._top_k = num_classes, top_k
    self._num_examples, self._hits, self._perr = 0, 0, 0.0
    self._global = LoopAveragePrecision()
    self._by_class = [LoopAveragePrecision() for _ in range(num_classes)]

  def accumulate(self, predictions: np.ndarray, labels: np.ndarray) -> None:
    self._num_examples += len(predictions)
    best = np.argmax(predictions, axis=1)
    self._hits += int(np.sum(labels[np.arange(len(labels)), best]))
    triplets = []
    for row in range(len(predictions)):
      num_labels = int(np.sum(labels[row]))
      if num_labels:
        hits = 0
        for c in np.argpartition(predictions[row], -num_labels)[-num_labels:]:
          if predictions[row][c] > 0:
            hits += int(labels[row][c])
        self._perr += hits / num_labels
      triplets += [(c, predictions[row][c], labels[row][c]) for c in
                   np.argpartition(predictions[row], -self._top_k)[-self._top_k:]]
    scores = [[] for _ in range(self._num_classes)]
    targets = [[] for _ in range(self._num_classes)]
    for c, score, target in triplets:
      scores[c].append(score)
      targets[c].append(target)
    positives = [np.sum(labels[:, c]) for c in range(self._num_classes)]
    for c in range(self._num_classes):
      self._by_class[c].accumulate(scores[c], targets[c], positives[c])
    self._global.accumulate(list(itertools.chain.from_iterable(scores)),
                            list(itertools.chain.from_iterable(targets)),
                            sum(positives))

  def get(self) -> dict[str, Any]:
    aps = [calculator.get() for calculator in self._by_class]
    return {"avg_hit_at_one": self._hits / self._num_examples,
            "avg_perr": self._perr / self._num_examples,
            "gap": self._global.get(),
            "map": np.mean([ap for ap in aps if ap is not None])}


def seconds(function: Callable[[], Any], repeats: int = _REPEATS) -> tuple[float, Any]:
  """Returns the time of the fastest of several calls, and the result of the last."""
  times = []
  for _ in range(repeats):
    start = time.perf_counter()
    result = function()
    times.append(time.perf_counter() - start)
  return min(times), result


def main(_):
  rng = np.random.default_rng(_SEED.value)
  batches = [synthetic_batch(rng, _BATCH_SIZE.value, _CLASSES.value)
             for _ in range(_BATCHES.value)]
  top_k = min(_TOP_K.value, _CLASSES.value)

  def run_ours():
    ours = streaming.EvaluationMetrics(_CLASSES.value, top_k)
    for predictions, labels in batches:
      ours.accumulate(predictions, labels, loss=0.0)
    return ours.get()

  def run_loop():
    loop = LoopMetrics(_CLASSES.value, top_k)
    for predictions, labels in batches:
      loop.accumulate(predictions, labels)
    return loop.get()

  ours_s, ours = seconds(run_ours)
  loop_s, loop = seconds(run_loop, repeats=2)
  arrays = [predictions for predictions, _ in batches]
  limits = {
      "np.max (one pass over memory)": lambda: [p.max() for p in arrays],
      "tf.math.top_k alone": lambda: [tf.math.top_k(p, top_k) for p in arrays],
      "np.argpartition alone": lambda: [np.argpartition(p, -top_k) for p in arrays],
  }

  print(f"{_BATCHES.value} synthetic batches of {_BATCH_SIZE.value} x "
        f"{_CLASSES.value} float32, top_k {top_k}, {os.cpu_count()} CPUs\n")
  rows = {"ours": ours_s, "loop over videos and classes": loop_s}
  rows.update((name, seconds(function)[0]) for name, function in limits.items())
  for name, total in rows.items():
    print(f"{name:32s}{1000 * total / _BATCHES.value:9.2f} ms a batch")
  ratio = loop_s / ours_s
  print(f"\nloop / ours = {ratio:.1f} (required: {_REQUIRED_RATIO})\n")
  for key, value in loop.items():
    print(f"{key:16s} ours {ours[key]:.9f}  loop {value:.9f}")

  # The loop breaks ties at random, so the tolerance is not 1e-9.
  if not all(np.isclose(ours[key], value, atol=1e-6, rtol=0)
             for key, value in loop.items()):
    raise SystemExit("The results differ.")
  if ratio < _REQUIRED_RATIO:
    raise SystemExit(f"Only {ratio:.1f} times as fast as the loop.")


if __name__ == "__main__":
  app.run(main)
