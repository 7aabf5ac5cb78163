# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Charts of the changes from step to step of conditional inference."""

import os

import numpy as np

from benchmarks.conditional.step_study import StepStudy
from yt8m.core import markdown
from yt8m.core import plots
from yt8m.core.types import PathLike
from yt8m.eval.ablations import results

_COLOR = "tab:blue"


def write(directory: str, study: StepStudy) -> dict[str, str]:
  """Writes all charts; returns their file names by kind."""
  names = {}
  for kind, write_kind in (("steps", write_steps), ("classes", write_classes),
                           ("couplings", write_couplings)):
    names[kind] = f"conditional-{kind}.png"
    write_kind(os.path.join(directory, names[kind]), study)
  return names


def write_steps(path: PathLike, study: StepStudy) -> None:
  """Draws GAP, mAP and Hit@1 by step, one line for each way to observe."""
  figure, axes = _panels(len(results.METRICS))
  values = study.values_by_step()
  for axis, (name, title) in zip(axes, results.METRICS.items(), strict=True):
    for number, (way, by_metric) in enumerate(values.items()):
      means, deviations = _statistics(by_metric[name].T)
      steps = np.arange(1, len(means) + 1)
      # Side by side, so that no error bar hides another.
      axis.errorbar(steps + 0.08 * number, means, deviations, label=way, marker="o",
                    markersize=4, capsize=2)
    axis.set(title=title, xlabel="step", xticks=steps)
  figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center",
                ncols=len(values), frameon=False, title="observed")
  plots.save(figure, path)


def write_classes(path: PathLike, study: StepStudy) -> None:
  """Draws the changes of average precision and GAP by group, ± standard error."""
  figure, axes = _panels(3, rows=2, width=5.2)
  for (above, below), (kind, (names, _)) in zip(
      axes.T, study.groupings.items(), strict=True):
    gap = study.gap_of(kind)
    for axis, changes, title in (
        (above, study.changes_of(kind), "Δ AP of a class"),
        (below, (gap[:, 1] - gap[:, 0]).T, "Δ GAP of the group")):
      means, spreads = _statistics(changes, markdown.mean_and_error)
      axis.bar(names, means, yerr=spreads, color=_COLOR, capsize=3)
      axis.axhline(0, color="black", linewidth=0.8)
      axis.set(title=title, xlabel=kind)
      axis.tick_params("x", labelsize="small")
  plots.save(figure, path)


def write_couplings(path: PathLike, study: StepStudy) -> None:
  """Draws λ of every class by frequency."""
  figure, [axis] = _panels(1)
  axis.scatter(np.maximum(study.counts, 1), study.couplings.mean(0), s=4, alpha=0.4,
               linewidths=0, color=_COLOR)
  axis.axhline(study.coupling, color="black", linewidth=0.8, label="before training")
  axis.legend(frameon=False)
  axis.set(xscale="log", xlabel="label sets with the class", ylabel="coupling λ")
  plots.save(figure, path)


def _panels(columns, rows=1, width=4.0):
  figure = plots.figure(max(width * columns, 6.0), 3.4 * rows)
  axes = figure.subplots(rows, columns, squeeze=False,
                         sharey="row" if rows > 1 else "none")
  for axis in axes.flat:
    axis.spines[["top", "right"]].set_visible(False)
  return figure, axes if rows > 1 else axes[0]


def _statistics(rows, statistic=markdown.mean_and_deviation):
  """Returns the means and the spreads of the rows; NaN for an empty row."""
  return np.array([statistic(row if len(row) else [np.nan]) for row in rows]).T
