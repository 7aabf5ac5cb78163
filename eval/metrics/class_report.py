# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Average precision by class, with the names of the classes, for people.

    <train_dir>/eval/<data>/classes-<step>.csv   class,name,positives,average_precision

The average precision of a class without positives is empty. With thresholds there are
four more columns: threshold (empty if the class is never decided), precision, recall, f1.
"""

import csv
from typing import Any

import numpy as np

from yt8m.artifacts import thresholds
from yt8m.core import files
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.metrics import streaming
from yt8m.eval.metrics import thresholding

_SHOWN = 5


def describe(names: Vocabulary, metrics: streaming.EvaluationMetrics,
             values: dict[str, Any]) -> list[str]:
  """Returns a line with the best classes, and one with the worst, if there are several.

  Args:
    names: Names of the classes.
    metrics: Accumulated metrics.
    values: Result of `metrics.get()`.
  """
  classes = np.flatnonzero(metrics.num_positives)
  counts, precisions = metrics.num_positives[classes], values["aps"]
  shown = min(_SHOWN, len(classes) // 2)
  # Of equal classes those with the most positives, which say most.
  best = np.lexsort((-counts, -precisions))[:shown]
  worst = [row for row in np.lexsort((-counts, precisions)) if row not in best][:shown]
  return [f"{title} average precision: " + ", ".join(
      f"{names.names[classes[row]]} {precisions[row]:.4f} (positives: {counts[row]:,})"
      for row in rows) for title, rows in (("Best", best), ("Worst", worst)) if shown]


def write(path: str, names: Vocabulary, metrics: streaming.EvaluationMetrics,
          values: dict[str, Any], result: thresholding.Result | None = None) -> None:
  """Writes the file.

  Args:
    path: Path of the file.
    names: Names of the classes.
    metrics: Accumulated metrics.
    values: Result of `metrics.get()`.
    result: Thresholds and decisions; None if nothing was decided.
  """
  classes = np.flatnonzero(metrics.num_positives).tolist()
  precisions = dict(zip(classes, values["aps"].tolist(), strict=True))
  with files.atomic_write(path) as file:
    writer = csv.writer(file, lineterminator="\n")
    more = ((),) * len(names.names)
    if result:
      decided = result.decided
      more = zip(map(thresholds.number, result.limits.values), decided.precision.tolist(),
                 decided.recall.tolist(), decided.f1.tolist(), strict=True)
    writer.writerow([
        "class", "name", "positives", "average_precision",
        *(["threshold", "precision", "recall", "f1"] if result else [])])
    for index, (name, row) in enumerate(zip(names.names, more, strict=True)):
      writer.writerow([
          index, name, metrics.num_positives[index], precisions.get(index, ""), *row])
