# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Chooses a threshold for every class, and measures the labels that are decided with it.

    f1             maximise F1 = 2 TP / (TP + FP + P)
    precision=p    the lowest threshold with TP / (TP + FP) >= p
    cost=a:b       minimise a FP + b FN

TP and FP are the decided predictions that are labels and that are none, FN = P − TP the
labels that are not decided, those outside the top k included, and P all labels of the
class. Equal scores are decided together. A threshold lies halfway between the lowest
score that is decided and the next one of the class, so that the rounding of another
machine changes no decision on these videos. Of thresholds that are equally good, the
highest is chosen; a class for which nothing is better than no decision at all gets none.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from yt8m.core import registry

# With fewer labels, the best threshold of a class is mostly chance.
MIN_POSITIVES = 10
_NAMES = ("f1", "precision", "cost")
_HINT = ("Write --choose_thresholds=f1, precision=P with 0 < P <= 1, or cost=FP:FN, the "
         "costs of a false positive and of a false negative, such as cost=1:5.")
_MAX_COST = 1e6
_LARGEST = np.int64(2**31 - 1)

# Function from TP, TP + FP and P to what is gained over no decision at all.
Gain = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def gain_of(target: str) -> Gain:
  """Returns what a target maximises.

  >>> from yt8m.eval.metrics import decisions
  >>> gain = decisions.gain_of("cost=1:5")
  >>> float(gain(2, 5, 4))  # 3 false positives, and 2 labels found of 4
  7.0

  Args:
    target: Value of `--choose_thresholds`.

  Raises:
    ValueError: It is no target.
  """
  name, _, value = target.partition("=")
  if name not in _NAMES:
    raise registry.unknown("target", name, _NAMES, _HINT)
  if target == "f1":
    return lambda hits, decided, positives: 2 * hits / (decided + positives)
  numbers = list(map(_number, value.split(":")))
  if name == "precision" and len(numbers) == 1 and 0 < numbers[0] <= 1:
    # The larger the number of decisions, the lower the threshold.
    return lambda hits, decided, positives: np.where(
        hits / decided >= numbers[0], decided, 0)
  if name == "cost" and len(numbers) == 2 and all(0 < x <= _MAX_COST for x in numbers):
    return lambda hits, decided, positives: (
        numbers[1] * hits - numbers[0] * (decided - hits))
  raise ValueError(f"--choose_thresholds={target[:80]!r} is no target. {_HINT}")


def _number(text: str) -> float:
  try:
    return float(text)
  except ValueError:
    return math.nan


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
  """The thresholds of C classes.

  Attributes:
    values: Thresholds, (C,) float32; infinity for a class that is never decided.
    by_global: Whether a class has the global threshold, (C,) bool.
    global_value: Threshold of the predictions of all classes together; infinity if there
      is none.
  """
  values: np.ndarray
  by_global: np.ndarray
  global_value: float


def choose(scores: np.ndarray, hits: np.ndarray, classes: np.ndarray,
           num_positives: np.ndarray, target: str,
           min_positives: int = MIN_POSITIVES) -> Choice:
  """Chooses thresholds.

  Memory: 40 bytes a prediction. The order of the predictions does not matter.

  Args:
    scores: Scores in [0, 1], of any shape, such as those of the best k classes of every
      video. A score of 0 is never decided.
    hits: Whether each prediction is a label, of the same shape.
    classes: Class of each prediction, of the same shape.
    num_positives: Number of labels of each class, those without a prediction included,
      (num_classes,).
    target: Value of `--choose_thresholds`, as for `gain_of`.
    min_positives: Number of labels from which on a class has a threshold of its own.
      The others share one, chosen for the predictions of all classes together.

  Raises:
    ValueError: `target` is none.
  """
  gain, counted = gain_of(target), scores > 0
  scores, hits, classes = scores[counted], hits[counted], classes[counted]
  own = _best(scores, hits, classes, num_positives, gain)
  [together] = _best(scores, hits, np.zeros_like(classes),
                     np.sum(num_positives, keepdims=True), gain)
  rare = num_positives < min_positives
  return Choice(np.where(rare, together, own), rare, float(together))


def _best(scores: np.ndarray, hits: np.ndarray, groups: np.ndarray,
          num_positives: np.ndarray, gain: Gain) -> np.ndarray:
  """Returns the best threshold of each group, (num_groups,) float32."""
  best = np.full(len(num_positives), np.inf, np.float32)
  if not len(scores):
    return best
  # One integer per prediction, which sorts by group, then by descending score: the bits
  # of positive floats sort as the floats do.
  bits = np.minimum(scores, 1).astype(np.float32).view(np.int32)
  keys = groups.astype(np.int64) << 32
  keys += _LARGEST - bits
  keys <<= 1
  keys |= np.asarray(hits, bool)
  keys.sort()
  true = np.cumsum(keys & 1)
  keys >>= 1
  # Runs of equal scores are decided together. All arrays below have one entry a run.
  ends = np.flatnonzero(np.append(keys[1:] != keys[:-1], True))
  keys, true = keys[ends], true[ends]
  group = keys >> 32
  firsts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
  lengths = np.diff(np.append(firsts, len(ends)))
  last_before = firsts[1:] - 1
  decided = ends + 1 - np.repeat(np.append(0, ends[last_before] + 1), lengths)
  true -= np.repeat(np.append(0, true[last_before]), lengths)
  gains = gain(true, decided, num_positives[group])
  largest = np.maximum.reduceat(gains, firsts)
  good = np.flatnonzero(gains == np.repeat(largest, lengths))
  chosen = good[np.searchsorted(good, firsts)]
  run_scores = (_LARGEST - (keys & 0xffffffff)).astype(np.int32).view(np.float32)
  upper = run_scores[chosen]
  is_last = chosen == firsts + lengths - 1
  lower = np.where(is_last, upper, run_scores[np.minimum(chosen + 1, len(ends) - 1)])
  middle = ((upper.astype(np.float64) + lower) / 2).astype(np.float32)
  middle = np.where(middle > lower, middle, upper)  # Neighbours have none between them.
  best[group[firsts]] = np.where(largest > 0, middle, np.inf)
  return best


@dataclasses.dataclass(frozen=True, eq=False)
class Decisions:
  """How good decided labels are.

  Attributes:
    decided: Number of decisions for each class, (num_classes,).
    correct: Number of them that are labels, (num_classes,).
    num_positives: Number of labels of each class, (num_classes,).
  """
  decided: np.ndarray
  correct: np.ndarray
  num_positives: np.ndarray

  @classmethod
  def of(cls, decided: np.ndarray, hits: np.ndarray, classes: np.ndarray,
         num_positives: np.ndarray) -> "Decisions":
    """Counts decisions.

    Args:
      decided: Whether each prediction is decided, of any shape.
      hits: Whether it is a label, of the same shape.
      classes: Its class, of the same shape.
      num_positives: Number of labels of each class, (num_classes,).
    """
    def count(which):
      return np.bincount(classes[which], minlength=len(num_positives))

    return cls(count(decided), count(decided & hits), num_positives)

  @property
  def precision(self) -> np.ndarray:
    """Precision of each class, 0 without decisions."""
    return _share(self.correct, self.decided)

  @property
  def recall(self) -> np.ndarray:
    """Recall of each class, 0 without labels."""
    return _share(self.correct, self.num_positives)

  @property
  def f1(self) -> np.ndarray:
    """F1 of each class, 0 without labels and decisions."""
    return _share(2 * self.correct, self.decided + self.num_positives)

  def summary(self) -> dict[str, float]:
    """Returns `micro_precision`, `micro_recall`, `micro_f1`, and those with `macro_`.

    Micro counts the decisions of all classes together. Macro is the mean of the classes
    that have labels; a class of which nothing is decided has precision 0.
    """
    total = Decisions(*(np.sum(x, keepdims=True) for x in (
        self.decided, self.correct, self.num_positives)))
    found = self.num_positives > 0
    names = ("precision", "recall", "f1")
    return {
        **{f"micro_{name}": float(getattr(total, name)[0]) for name in names},
        **{f"macro_{name}": float(np.mean(getattr(self, name)[found]))
           if found.any() else 0.0 for name in names}}


def format_summary(values: dict[str, Any]) -> str:
  """Returns `"micro precision 0.71, recall 0.62, F1 0.66 | macro …"`, for people.

  Args:
    values: Result of `Decisions.summary`.
  """
  return " | ".join(
      f"{kind} precision {values[f'{kind}_precision']:.4f}, recall "
      f"{values[f'{kind}_recall']:.4f}, F1 {values[f'{kind}_f1']:.4f}"
      for kind in ("micro", "macro"))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
  return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
