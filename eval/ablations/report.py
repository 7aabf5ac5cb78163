# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What an ablation found, as a section of a Markdown document and as a chart."""

import math
import shlex

import numpy as np

from yt8m.core import files
from yt8m.core import markdown
from yt8m.eval.ablations import numbers
from yt8m.eval.ablations import runs as ablation_runs
from yt8m.eval.metrics import streaming


def as_markdown(table, found, chart_path=None):
  """The section of a table in a Markdown document.

  Args:
    table: the `Table`.
    found: list of `Found`, in the order of the table.
    chart_path: of its chart, as the document shall refer to it.
  """
  parts = [f"## {table.title}", table.note]
  if table.sample_data is not None:
    parts.append(
        "**The records are synthetic.** They were redesigned until small nets could "
        "learn the planted kinds of labels (docs/sample_data.md): a row that learns one "
        "is no evidence for a method on real videos.")
  parts += [_main_table(table, found), _legend(table, found)]
  if kinds := numbers.kind_columns(found):
    parts += [_kind_table(kinds, found),
              "Mean average precision over the classes of a kind of label; *top*: over "
              "the two most frequent of them, twins that differ in nothing else."]
  if chart_path:
    parts.append(f"![{table.title}]({chart_path})")
  parts.append(_commands(table, found))
  return "\n\n".join(part for part in parts if part) + "\n"


def _main_table(table, found):
  columns = [("row", [_row_name(entry) for entry in found]),
             ("parameters", [_number(entry.values("parameters")[:1]) for entry in found])]
  published = dict.fromkeys(name for entry in found for name in entry.row.figures)
  published = {name: [str(entry.row.figures.get(name, "–")) for entry in found]
               for name in published}
  for column, title in numbers.METRICS.items():
    columns.append((title, [markdown.with_deviation(entry.values(column))
                            for entry in found]))
    beside = [name for name in published if name.startswith(title + ",")]
    columns += [(name, published.pop(name)) for name in beside]
  if any(table.reference(entry.row) for entry in found):
    others = [_other(table, entry, found) for entry in found]
    columns += [(f"Δ {numbers.METRICS[column]}",
                 [markdown.with_error(
                     entry.differences(column, other) if other else [])
                  for entry, other in zip(found, others, strict=True)])
                for column in numbers.COMPARED]
    columns.append(("against", [other.row.name if other else "–" for other in others]))
  columns.append(
      ("examples/s", [_number(entry.values(numbers.RATE)) for entry in found]))
  columns += published.items()
  titles, texts = zip(*columns, strict=True)
  return markdown.make(titles, zip(*texts, strict=True), ("row", "against"))


def _other(table, entry, found):
  """The `Found` that an entry is compared with, or None."""
  name = table.reference(entry.row)
  return next((other for other in found
               if other.row.name == name and other is not entry), None)


def _kind_table(kinds, found):
  names = [name.removeprefix(numbers.PREFIX).replace("_top", ", *top*") for name in kinds]
  return markdown.make(["row", *names], [
      [_row_name(entry),
       *(markdown.with_deviation(entry.values(name), 2) for name in kinds)]
      for entry in found])


def _legend(table, found):
  counts = sorted({len(entry.runs) for entry in found if entry.runs}) or [0]
  seeds = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
  runs = [ablation_runs.Run(table, entry.row, 0, "") for entry in found]
  top_k = " or ".join(dict.fromkeys(
      str(run.settings["evaluate"].get("top_k", streaming.TOP_K)) for run in runs))
  text = (f"Mean ± sample standard deviation; seeds a row: {seeds}. GAP and mAP look at "
          f"the {top_k} best classes of a video.")
  if any(table.reference(entry.row) for entry in found):
    text += (" Δ: difference to the row named beside it, of runs with the same seed, ± "
             "its standard error.")
  if len(ablation_runs.make_trainings(runs, runs)) < len(runs):
    text += " Rows that differ in their evaluation alone share their trained models."
  return text + (" Parameters: trainable ones. examples/s: of training, several runs at "
                 "a time on one machine, so good for rough ratios within the table only.")


def _commands(table, found):
  """What to type for seed 0 of every row, in a folded block."""
  places = {"data": "$DATA", "sample": "sample"}
  evaluations = {}  # of each training
  for entry in found:
    run = ablation_runs.Run(table, entry.row, 0, "")
    train, evaluate = map(_typed, run.commands("model", **places))
    evaluations.setdefault(train, {})[evaluate] = None
  lines = []
  if table.sample_data is not None:
    lines.append(_typed(ablation_runs.sample_command(table, "sample")))
  distinct = set().union(*evaluations.values())
  if len(distinct) == 1:
    lines += [*evaluations, "\nand after each\n", *distinct]
  else:
    lines += [line for train in evaluations for line in (train, *evaluations[train])]
  return "\n".join(["<details><summary>The commands of seed 0</summary>\n", *lines,
                    "\n</details>"])


def _typed(command):
  # Single quotes would keep the shell from filling in $DATA.
  return "    " + " ".join(f'"{word}"' if word.count("$DATA") else shlex.quote(word)
                           for word in command)


def _row_name(entry):
  total = len(entry.runs) + len(entry.failed)
  return entry.row.name + (
      f" (**failed**: {len(entry.failed)} of {total})" if entry.failed else "")


def _number(values):
  return f"{np.mean(values):,.0f}" if values else "–"


def write_chart(path, table, found):
  """Bars of GAP, mAP and, of sample data, the top twins; whiskers: ± deviation."""
  figure_class = matplotlib_figure()
  panels = {name: numbers.METRICS[name] for name in numbers.COMPARED}
  panels |= {name: name.removeprefix(numbers.PREFIX).removesuffix("_top") + " labels, mAP"
             for name in numbers.kind_columns(found) if name.endswith("_top")}
  found = [entry for entry in found if entry.runs]
  figure = figure_class(figsize=(2 + 2.5 * len(panels), 1.2 + 0.28 * len(found)),
                        layout="constrained")
  axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
  names = [entry.row.name for entry in found]
  for axis, (column, title) in zip(axes, panels.items(), strict=True):
    statistics = [markdown.mean_and_deviation(entry.values(column) or [math.nan])
                  for entry in found]
    means, deviations = np.array(statistics).reshape(-1, 2).T
    axis.barh(names, means, xerr=deviations, color="tab:blue",
              ecolor="black", capsize=2)
    axis.set_title(title, fontsize="medium")
    axis.spines[["top", "right"]].set_visible(False)
  axes[0].invert_yaxis()
  figure.suptitle(table.title)
  with files.atomic_write(path, "wb") as file:
    figure.savefig(file, format="png", dpi=120)


def matplotlib_figure():
  """The class `Figure`, imported here so that only charts need matplotlib.

  Raises:
    ValueError: it is not installed.
  """
  try:
    from matplotlib import figure
  except ImportError as error:
    raise ValueError("The chart needs matplotlib: pip install 'yt8m[report]'.") from error
  return figure.Figure
