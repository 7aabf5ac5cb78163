# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Results of the steps of conditional inference, for the report and the charts."""

import dataclasses
import functools

import numpy as np

from benchmarks.conditional import score_changes
from yt8m.data import label_sets
from yt8m.eval.ablations import results
from yt8m.eval.metrics.streaming import EvaluationMetrics

FREQUENCY = "label sets with it"
FREQUENCIES = (100, 1_000, 10_000)
DEPENDENCES = (0.2, 0.5, 0.8, 0.95)
INFORMATION = (0.1, 0.2, 0.4, 0.6)


@dataclasses.dataclass(frozen=True)
class StepStudy:
  """Metrics of models at every step, and properties of their labels.

  Attributes:
    metrics: Metrics of each model, `{way to observe: [metrics of step 1, 2, …]}`.
    way: Way to observe that is analysed in detail.
    step: Step that is compared with the first one.
    videos: `LabelSets` of the evaluated videos, in order.
    counts: Number of label sets with each class, (num_classes,) int.
    dependence: Result of `label_dependence.dependence`, (num_classes,).
    information, partner: Results of `label_dependence.information`.
    couplings: λ of each model, (num_models, num_classes).
    coupling: λ before training.
    evidence: `{class: q}`, output of the first model's label network if only this class
      is observed, (num_classes,) float each.
    names: Names of the classes, (num_classes,) str.
  """
  metrics: list[dict[str, list[EvaluationMetrics]]]
  way: str
  step: int
  videos: label_sets.LabelSets
  counts: np.ndarray
  dependence: np.ndarray
  information: np.ndarray
  partner: np.ndarray
  couplings: np.ndarray
  coupling: float
  evidence: dict[int, np.ndarray]
  names: list[str]

  @property
  def pairs(self) -> list[tuple[EvaluationMetrics, EvaluationMetrics]]:
    """Metrics of the first and of the compared step, one pair per model."""
    return [(steps[self.way][0], steps[self.way][self.step - 1])
            for steps in self.metrics]

  @functools.cached_property
  def class_precision(self) -> np.ndarray:
    """Average precision of each class before and after, averaged over the models.

    (2, num_classes), NaN for a class without positives.
    """
    return np.mean([[score_changes.by_class(m) for m in pair] for pair in self.pairs], 0)

  @property
  def class_change(self) -> np.ndarray:
    """Change of the average precision of each class, (num_classes,)."""
    before, after = self.class_precision
    return after - before

  @functools.cached_property
  def groupings(self) -> dict[str, tuple[list[str], np.ndarray]]:
    """`{kind: (names of the groups, group of each class)}` for the three kinds."""
    kinds = (
        (FREQUENCY, FREQUENCIES, self.counts),
        ("dependence", DEPENDENCES, self.dependence),
        ("information", INFORMATION, self.information))
    return {kind: (_ranges(edges), np.digitize(values, edges))
            for kind, edges, values in kinds}

  def finite_changes(self, chosen: np.ndarray) -> list[float]:
    """Returns the list of `class_change` of those `chosen` classes that are measured."""
    changes = self.class_change[chosen]
    return list(changes[np.isfinite(changes)])

  def changes_of(self, kind: str) -> list[list[float]]:
    """Returns `finite_changes` of each group."""
    names, groups = self.groupings[kind]
    return [self.finite_changes(groups == group) for group in range(len(names))]

  def gap_of(self, kind: str) -> np.ndarray:
    """Returns the GAP of each group before and after, (num_models, 2, num_groups)."""
    names, groups = self.groupings[kind]
    return np.array([[score_changes.by_group(m, groups, len(names)) for m in pair]
                     for pair in self.pairs])

  def values_by_step(self) -> dict[str, dict[str, np.ndarray]]:
    """Returns `{way: {metric: (num_models, K)}}` of the usual metrics and `avg_loss`."""
    values = {}
    for way in self.metrics[0]:
      models = [[step.get() for step in steps[way]] for steps in self.metrics]
      values[way] = {name: np.array([[step[name] for step in steps] for steps in models])
                     for name in (*results.METRICS, "avg_loss")}
    return values


def _ranges(edges: tuple[float, ...]) -> list[str]:
  """Returns the names of the ranges between edges, in the order of `np.digitize`."""
  texts = [format(edge, ",") for edge in edges]
  return [f"below {texts[0]}",
          *(f"{low} to {high}" for low, high in zip(texts, texts[1:], strict=False)),
          f"from {texts[-1]}"]
