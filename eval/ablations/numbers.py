# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The numbers of an ablation: a line a run, means over seeds, paired differences."""

import csv
import dataclasses

import numpy as np

from yt8m.core import files
from yt8m.synthetic import labels

METRICS = {"gap": "GAP", "map": "mAP", "avg_hit_at_one": "Hit@1"}
COMPARED = ("gap", "map")
RATE = "train_examples_per_second"
PREFIX = "map_"  # of the columns of single kinds of labels


@dataclasses.dataclass(frozen=True)
class Found:
  """The runs of one row.

  Attributes:
    row: the `Row`.
    runs: `{seed: {column: number}}` of the finished ones.
    failed: seeds whose run failed.
  """
  row: object
  runs: dict
  failed: tuple = ()

  def values(self, column):
    """Of the finished runs that have the column."""
    return [run[column] for _, run in sorted(self.runs.items())
            if run.get(column) is not None]

  def differences(self, column, other):
    """To the runs of another row with the same seeds."""
    return [self.runs[seed][column] - other.runs[seed][column]
            for seed in sorted(set(self.runs) & set(other.runs))]


def columns(result, ground_truth=None):
  """The numbers of one run, `{column: number}`.

  Args:
    result: what `ablation_runs.execute` returned.
    ground_truth: arrays of a sample data set, for one column a kind of label: the mean
      average precision of its classes, and of its most frequent twins alone (`_top`).
  """
  evaluation = result["evaluation"]
  numbers = {"parameters": evaluation["num_parameters"],
             **{name: evaluation[name] for name in METRICS},
             RATE: result[RATE],
             **{f"{command.removeprefix('yt8m-')}_seconds": seconds
                for command, seconds in result["seconds"].items()}}
  if ground_truth is not None:
    precision = {int(c): ap for c, ap in evaluation["average_precision"].items()}
    for kind, classes in classes_by_kind(ground_truth).items():
      found = [precision[c] for c in classes if c in precision]
      numbers[PREFIX + kind] = float(np.mean(found)) if found else None
  return numbers


def classes_by_kind(ground_truth):
  """`{kind: classes}`, and `{kind_top: its two most frequent}` where it has twins."""
  kinds, twins = ground_truth["kinds"], ground_truth["twins"]
  groups = {kind: np.flatnonzero(kinds == kind).tolist()
            for kind in labels.KINDS}
  for kind, classes in list(groups.items()):
    if not classes:
      del groups[kind]
      continue
    first = classes[0]  # classes stand in the order of their frequency
    if twins[first] != first:
      groups[f"{kind}_top"] = sorted([first, int(twins[first])])
  return groups


def kind_columns(found):
  """Columns of kinds of labels that the runs have, single kinds before top twins."""
  names = dict.fromkeys(name for entry in found for run in entry.runs.values()
                        for name in run if name.startswith(PREFIX))
  return sorted(names, key=lambda name: name.endswith("_top"))


def write_csv(path, found):
  """One line a finished run."""
  names = dict.fromkeys(
      name for entry in found for run in entry.runs.values() for name in run)
  with files.atomic_write(path) as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["row", "seed", *names])
    for entry in found:
      for seed, run in sorted(entry.runs.items()):
        writer.writerow([entry.row.name, seed, *(run.get(name) for name in names)])
