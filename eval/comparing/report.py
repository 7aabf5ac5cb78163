# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A table and a picture of trainings."""

from collections.abc import Sequence

from yt8m.core import markdown
from yt8m.core import plots
from yt8m.eval.comparing import trained

_MOST_PANELS = 12
_WIDEST = 9  # columns that fit into a line of a terminal


def table(runs: Sequence[trained.Run], metrics: Sequence[str]) -> str:
  """Returns a Markdown table with a row for each training, or a column if it is wide.

  Args:
    runs: The trainings.
    metrics: Names of the metrics to show. The first chooses the step of a training
      without a best checkpoint.
  """
  settings = trained.differing(runs)
  titles = ["run", *settings, "parameters"]
  sets = _data(runs)
  for data in sets:
    titles += [f"{data}: {name}" for name in ("step", *metrics)]
  rows = []
  for run in runs:
    row = [run.name, *(run.settings.get(name, "–") for name in settings)]
    row.append("–" if run.num_parameters is None else f"{run.num_parameters:,}")
    for data in sets:
      line = run.chosen(data, metrics[0]) or {}
      row.append(str(line.get("step", "–")))
      row += [f"{line[name]:.4f}" if name in line else "–" for name in metrics]
    rows.append(row)
  titles, *rows = [[cell.replace("|", r"\|") for cell in row] for row in (titles, *rows)]
  left = titles[:1 + len(settings)]
  if len(titles) > max(_WIDEST, len(runs)):  # The trainings side by side.
    titles, *rows = zip(titles, *rows, strict=True)
    left = titles[:1]
  return markdown.make(titles, rows, left)


def _data(runs):
  return sorted({data for run in runs for data in run.histories})


def write_chart(path: str, runs: Sequence[trained.Run], metric: str) -> None:
  """Writes the curves of a metric, with a panel for each set of records.

  Args:
    path: Path of the PNG file.
    runs: The trainings.
    metric: Name of the metric.
  """
  sets = _data(runs)[:_MOST_PANELS]
  figure = plots.figure(6 * max(1, len(sets)), 4)
  axes = figure.subplots(1, max(1, len(sets)), squeeze=False)[0]
  for axis, data in zip(axes, sets, strict=False):
    for run in runs:
      lines = [line for line in run.histories.get(data, []) if metric in line]
      if lines:
        axis.plot([line["step"] for line in lines], [line[metric] for line in lines],
                  marker=".", label=plots.literal(run.name))
    axis.set_title(plots.literal(data), fontsize="medium")
    axis.set_xlabel("step")
    axis.set_ylabel(metric)
    if axis.lines:
      axis.legend(fontsize="small")
  plots.save(figure, path)
