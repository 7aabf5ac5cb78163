# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The results of an ablation as a section of a Markdown document and as a chart."""

import math
import shlex
from collections.abc import Sequence

import numpy as np

from yt8m.core import markdown
from yt8m.core import plots
from yt8m.eval.ablations import records
from yt8m.eval.ablations import results as ablation_results
from yt8m.eval.ablations import runs
from yt8m.eval.ablations import table as ablation_table
from yt8m.eval.metrics import streaming

Results = Sequence[ablation_results.RowResults]


def as_markdown(table: ablation_table.Table, results: Results,
                chart_path: str | None = None) -> str:
  """Returns the section of a table in a Markdown document.

  Args:
    table: Table of the results.
    results: Results of its rows, in their order.
    chart_path: Path of the chart, relative to the document; None for none.
  """
  parts = [f"## {table.title}", table.note]
  if table.sample_data is not None:
    parts.append(
        "**The records are synthetic.** They were redesigned until small networks could "
        "learn the planted kinds of labels (docs/sample_data.md), so a row that learns "
        "one is no evidence for a method on real videos.")
  parts += [_main_table(table, results), _legend(table, results)]
  if kinds := ablation_results.kind_columns(results):
    parts += [_kind_table(kinds, results),
              "Mean average precision over the classes of each kind of label. *top*: "
              "over the two most frequent classes of the kind, which are twins and "
              "differ in nothing else."]
  chart = f"![{table.title}]({chart_path})" if chart_path else ""
  parts += [chart, _commands(table, results)]
  return "\n\n".join(part for part in parts if part) + "\n"


def _main_table(table, results):
  columns = [
      ("row", [_row_name(entry) for entry in results]),
      ("parameters", [_number(entry.values("parameters")[:1]) for entry in results])]
  figures = {name: [str(entry.row.figures.get(name, "–")) for entry in results]
             for one in results for name in one.row.figures}
  for column, title in ablation_results.MEASURED.items():
    columns.append((title, [markdown.with_deviation(entry.values(column))
                            for entry in results]))
    beside = [name for name in figures if name.startswith(title + ",")]
    columns += [(name, figures.pop(name)) for name in beside]
  references = [_reference(table, entry, results) for entry in results]
  if any(table.reference(entry.row) for entry in results):
    columns += [(f"Δ {ablation_results.METRICS[column]}",
                 [markdown.with_error(
                     entry.differences(column, reference) if reference else [])
                  for entry, reference in zip(results, references, strict=True)])
                for column in ablation_results.COMPARED]
    columns.append(("against", [reference.row.name if reference else "–"
                                for reference in references]))
  columns.append(
      ("examples/s", [_number(entry.values(ablation_results.RATE)) for entry in results]))
  columns += figures.items()
  titles, texts = zip(*columns, strict=True)
  return markdown.make(titles, zip(*texts, strict=True), ("row", "against"))


def _reference(table, entry, results):
  """Returns the results that an entry is compared with, or None."""
  name = table.reference(entry.row)
  return next((other for other in results
               if other.row.name == name and other is not entry), None)


def _kind_table(kinds, results):
  names = [name.removeprefix(ablation_results.PREFIX).replace("_top", ", *top*")
           for name in kinds]
  return markdown.make(["row", *names], [
      [_row_name(entry),
       *(markdown.with_deviation(entry.values(name), 2) for name in kinds)]
      for entry in results])


def _legend(table, results):
  counts = sorted({len(entry.runs) for entry in results if entry.runs}) or [0]
  seeds = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
  first_runs = [runs.Run(table, entry.row, 0, "") for entry in results]
  top_k = " or ".join(dict.fromkeys(
      str(run.settings["evaluate"].get("top_k", streaming.TOP_K)) for run in first_runs))
  text = (f"Mean ± sample standard deviation; seeds per row: {seeds}. GAP and mAP use "
          f"the {top_k} best classes of each video.")
  if any(table.reference(entry.row) for entry in results):
    text += (" Δ: difference from the row under *against*, paired by seed, ± its "
             "standard error.")
  if len(runs.make_trainings(first_runs, first_runs)) < len(first_runs):
    text += (" Rows that differ only in their calibration or evaluation share their "
             "trained models.")
  return text + (
      " Parameters: trainable parameters. examples/s: training speed with several runs "
      "at a time on one machine, so only rough ratios within the table are meaningful.")


def _commands(table, results):
  """Returns the commands for seed 0 of every row, in a folded block."""
  places = {"data": "$DATA", "sample": "sample"}
  evaluations = {}  # by training; the inner dictionaries are ordered sets
  for entry in results:
    run = runs.Run(table, entry.row, 0, "")
    train, *others = map(_typed, run.commands("model", "calibrated", **places))
    evaluations.setdefault(train, {})["\n".join(others)] = None
  lines = []
  if table.sample_data is not None:
    lines.append(_typed(records.sample_command(table, "sample")))
  distinct = set().union(*evaluations.values())
  if len(distinct) == 1:
    lines += [*evaluations, "\nand after each\n", *distinct]
  else:
    lines += [line for train in evaluations for line in (train, *evaluations[train])]
  return "\n".join(["<details><summary>The commands of seed 0</summary>\n", *lines,
                    "\n</details>"])


def _typed(command):
  # In single quotes, the shell would not replace $DATA.
  return "    " + " ".join(f'"{word}"' if word.count("$DATA") else shlex.quote(word)
                           for word in command)


def _row_name(entry):
  if not entry.num_failed:
    return entry.row.name
  total = len(entry.runs) + entry.num_failed
  return f"{entry.row.name} (**failed**: {entry.num_failed} of {total})"


def _number(values):
  return f"{np.mean(values):,.0f}" if values else "–"


def write_chart(path: str, table: ablation_table.Table, results: Results) -> None:
  """Writes a chart of GAP, mAP and, for sample data, the top twins of each kind.

  The bars are means over seeds; the whiskers are ± one standard deviation.
  """
  panels = {name: ablation_results.METRICS[name] for name in ablation_results.COMPARED}
  for name in ablation_results.kind_columns(results):
    if name.endswith("_top"):
      kind = name.removeprefix(ablation_results.PREFIX).removesuffix("_top")
      panels[name] = f"{kind} labels, mAP"
  results = [entry for entry in results if entry.runs]
  figure = plots.figure(2 + 2.5 * len(panels), 1.2 + 0.28 * len(results))
  axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
  names = [entry.row.name for entry in results]
  for axis, (column, title) in zip(axes, panels.items(), strict=True):
    statistics = [markdown.mean_and_deviation(entry.values(column) or [math.nan])
                  for entry in results]
    means, deviations = np.array(statistics).reshape(-1, 2).T
    axis.barh(names, means, xerr=deviations, color="tab:blue", ecolor="black", capsize=2)
    axis.set_title(title, fontsize="medium")
    axis.spines[["top", "right"]].set_visible(False)
  axes[0].invert_yaxis()
  figure.suptitle(plots.literal(table.title))
  plots.save(figure, path)
