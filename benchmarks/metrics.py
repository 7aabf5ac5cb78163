# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Time of `EvaluationMetrics`, compared with a loop over videos and classes.

  python -m benchmarks.metrics

The loop does what the YouTube-8M starter code does: for each video a partition for PERR
and one for the top k, for each class a list, for each prediction a push on the heap of
its class and on the global one; at the end it shuffles and sorts every heap. Both get
the same synthetic batches and must agree. Ours must be 15 times as fast.
"""

import heapq
import itertools
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app

from benchmarks import timing
from yt8m.core import markdown
from yt8m.eval.metrics import streaming

TITLE = "Metrics"
NOTE = ("All four metrics of one batch after another, with the final result. Limit: one "
        "`tf.math.top_k` of the same scores.")
BATCHES, BATCH_SIZE, CLASSES, TOP_K = 5, 1024, 3862, 20
REQUIRED_RATIO = 15


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


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for ours, the loop, and each limit.

  Raises:
    ValueError: Ours and the loop differ.
  """
  rng = np.random.default_rng(0)
  count, size, classes = (1, 32, 50) if quick else (BATCHES, BATCH_SIZE, CLASSES)
  batches = [synthetic_batch(rng, size, classes) for _ in range(count)]
  arrays = [predictions for predictions, _ in batches]
  results = {}

  def run_ours():
    ours = streaming.EvaluationMetrics(classes, TOP_K)
    for predictions, labels in batches:
      ours.accumulate(predictions, labels, loss=0.0)
    results["ours"] = ours.get()

  def run_loop():
    loop = LoopMetrics(classes, TOP_K)
    for predictions, labels in batches:
      loop.accumulate(predictions, labels)
    results["loop"] = loop.get()

  times = timing.in_turns({
      "ours": run_ours,
      "tf.math.top_k": lambda: [tf.math.top_k(p, TOP_K)[0].numpy() for p in arrays],
      "np.argpartition": lambda: [np.argpartition(p, -TOP_K) for p in arrays],
      "np.max (one pass over memory)": lambda: [p.max() for p in arrays],
  }, 1 if quick else timing.TURNS)
  loop = timing.in_turns(
      {"loop over videos and classes": run_loop}, 1, warm_up=False)
  # The loop breaks ties at random, so the tolerance is not 1e-9.
  for key, value in results["loop"].items():
    if not np.isclose(results["ours"][key], value, atol=1e-6, rtol=0):
      raise ValueError(f"{key}: ours is {results['ours'][key]}, the loop says {value}.")
  limit = times["tf.math.top_k"].cpu_s
  return [{"what": name, "ms a batch": 1e3 * t.wall_s / count,
           "CPU ms a batch": 1e3 * t.cpu_s / count,
           "% of top_k, CPU": limit / t.cpu_s}
          for name, t in {**times, **loop}.items()]


def main(argv: Sequence[str]) -> None:
  del argv
  table = rows()
  print(f"{BATCHES} synthetic batches of {BATCH_SIZE} x {CLASSES}, top {TOP_K}, load "
        f"{timing.load()}")
  print(markdown.make(list(table[0]), [
      [row["what"], *(f"{row[key]:.4g}" for key in list(row)[1:])] for row in table],
                      left=["what"]))
  ratio = table[-1]["ms a batch"] / table[0]["ms a batch"]
  print(f"\nloop / ours = {ratio:.1f} (required: {REQUIRED_RATIO})")
  if ratio < REQUIRED_RATIO:
    raise SystemExit(f"Only {ratio:.1f} times as fast as the loop.")


if __name__ == "__main__":
  app.run(main)
