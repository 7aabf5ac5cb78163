# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The results of an ablation: one set of numbers per run, paired over seeds."""

import csv
import dataclasses
import zipfile
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.core import fields
from yt8m.core import files
from yt8m.eval.ablations import table
from yt8m.synthetic import labels

METRICS = {"gap": "GAP", "map": "mAP", "avg_hit_at_one": "Hit@1"}
# All columns of a table: also how far scores are probabilities.
MEASURED = {**METRICS, "ece": "ECE", "log_loss": "log loss"}
TIMED = ("yt8m-train", "yt8m-calibrate", "yt8m-eval")  # commands of a run
COMPARED = ("gap", "map")
RATE = "train_examples_per_second"
PREFIX = "map_"  # of the columns for single kinds of labels


@dataclasses.dataclass(frozen=True)
class RowResults:
  """The runs of one row.

  Attributes:
    row: Row of the table.
    runs: Numbers of the finished runs, `{seed: {column: number}}`.
    num_failed: Number of runs that failed.
  """
  row: table.Row
  runs: dict[int, dict[str, Any]]
  num_failed: int = 0

  def values(self, column: str) -> list[float]:
    """Returns a column of the finished runs, by seed, without missing values."""
    return [run[column] for _, run in sorted(self.runs.items())
            if run.get(column) is not None]

  def differences(self, column: str, other: "RowResults") -> list[float]:
    """Returns the differences to the runs of another row with the same seeds."""
    return [self.runs[seed][column] - other.runs[seed][column]
            for seed in sorted(set(self.runs) & set(other.runs))]


def columns(result: Mapping[str, Any],
            ground_truth: Mapping[str, np.ndarray] | None = None) -> dict[str, Any]:
  """Returns the numbers of one run, `{column: number}`.

  Args:
    result: Content of `result.json` (`runs.execute`).
    ground_truth: Arrays of a sample data set. With them, there is one more column per
      kind of label, the mean average precision of its classes, and one for its two most
      frequent classes (`_top`), if these are twins.
  """
  evaluation = result["evaluation"]
  seconds = {f"{command.removeprefix('yt8m-')}_seconds": result["seconds"][command]
             for command in TIMED if command in result["seconds"]}
  numbers = {"parameters": evaluation["num_parameters"],
             **{name: float(evaluation[name]) for name in MEASURED},
             RATE: result[RATE], **seconds}
  fields.check(numbers, {}, {name: fields.NUMBER | fields.NULL for name in numbers})
  if ground_truth is not None:
    precision = {int(c): ap for c, ap in evaluation["average_precision"].items()}
    for kind, classes in classes_by_kind(ground_truth).items():
      values = [precision[c] for c in classes if c in precision]
      numbers[PREFIX + kind] = float(np.mean(values)) if values else None
  return numbers


def read_ground_truth(path: str) -> dict[str, np.ndarray]:
  """Returns the arrays of a sample data set that `columns` needs.

  Raises:
    ValueError: The file is not one of a sample data set.
    OSError: It is missing, or a pipe.
  """
  files.check_regular(path)
  try:
    with np.load(path, allow_pickle=False) as arrays:
      return {name: arrays[name] for name in ("kinds", "twins")}
  except (*fields.UNFIT, zipfile.BadZipFile) as error:
    raise ValueError(
        f"{path} is not what yt8m-sample-data wrote ({fields.reason(error)}): delete its "
        "directory and run the same command again.") from error


def classes_by_kind(ground_truth: Mapping[str, np.ndarray]) -> dict[str, list[int]]:
  """Returns `{kind: classes}`, and `{kind_top: its two most frequent}` for twins."""
  kinds, twins = ground_truth["kinds"], ground_truth["twins"]
  groups = {kind: np.flatnonzero(kinds == kind).tolist() for kind in labels.KINDS}
  groups = {kind: classes for kind, classes in groups.items() if classes}
  # Classes are sorted by frequency.
  pairs = {f"{kind}_top": sorted([classes[0], int(twins[classes[0]])])
           for kind, classes in groups.items()}
  return groups | {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def kind_columns(results: Sequence[RowResults]) -> list[str]:
  """Returns the columns for kinds of labels, those of top twins last."""
  names = [name for name in _all_columns(results) if name.startswith(PREFIX)]
  return sorted(names, key=lambda name: name.endswith("_top"))


def write_csv(path: str, results: Sequence[RowResults]) -> None:
  """Writes one line for each finished run."""
  with files.atomic_write(path) as file:
    writer = csv.DictWriter(file, ["row", "seed", *_all_columns(results)],
                            lineterminator="\n")
    writer.writeheader()
    for entry in results:
      for seed, run in sorted(entry.runs.items()):
        writer.writerow({"row": entry.row.name, "seed": seed, **run})


def _all_columns(results):
  return list(dict.fromkeys(
      name for entry in results for run in entry.runs.values() for name in run))
