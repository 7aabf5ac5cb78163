# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What an ablation found, as a section of a Markdown document and as a chart."""

import math
import shlex

import numpy as np

from yt8m import files
from yt8m.eval import ablation_numbers as numbers
from yt8m.eval import ablation_runs
from yt8m.eval import metrics


def markdown(table, found, chart_path=None):
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
  by_name = {entry.row.name: entry for entry in found}
  paired = any(table.reference(entry.row) for entry in found)
  extra = list(dict.fromkeys(name for entry in found for name in entry.row.figures))
  header = ["row", "parameters", *numbers.METRICS.values()]
  if paired:
    header += [*(f"Δ {numbers.METRICS[name]}" for name in numbers.COMPARED), "against"]
  lines = [_line([*header, "examples/s", *extra]),
           _line(["---", *["---:"] * (len(numbers.METRICS) + 1),
                  *(["---:"] * len(numbers.COMPARED) + ["---"] if paired else []), "---:",
                  *["---:"] * len(extra)])]
  for entry in found:
    parameters = entry.values("parameters")
    cells = [_row_name(entry), f"{parameters[0]:,}" if parameters else "–"]
    cells += [_with_deviation(entry.values(name)) for name in numbers.METRICS]
    if paired:
      reference = table.reference(entry.row)
      other = by_name.get(reference)
      apart = other is not None and other is not entry
      cells += [_with_error(entry.differences(name, other) if apart else [])
                for name in numbers.COMPARED] + [reference if apart else "–"]
    rates = entry.values(numbers.RATE)
    cells.append(f"{np.mean(rates):,.0f}" if rates else "–")
    lines.append(_line([*cells, *(entry.row.figures.get(name, "") for name in extra)]))
  return "\n".join(lines)


def _kind_table(kinds, found):
  names = [name.removeprefix(numbers.PREFIX).replace("_top", ", *top*") for name in kinds]
  lines = [_line(["row", *names]), _line(["---", *["---:"] * len(kinds)])]
  lines += [_line([_row_name(entry),
                   *(_with_deviation(entry.values(name), 2) for name in kinds)])
            for entry in found]
  return "\n".join(lines)


def _legend(table, found):
  counts = sorted({len(entry.runs) for entry in found if entry.runs}) or [0]
  seeds = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
  top_k = table.evaluate.get("top_k", metrics.TOP_K)
  text = (f"Mean ± sample standard deviation; seeds a row: {seeds}. GAP and mAP look at "
          f"the {top_k} best classes of a video.")
  if any(table.reference(entry.row) for entry in found):
    text += (" Δ: difference to the row named beside it, of runs with the same seed, ± "
             "its standard error.")
  return text + (" Parameters: trainable ones. examples/s: of training, several runs at "
                 "a time on one machine, so good for rough ratios within the table only.")


def _commands(table, found):
  """What to type for seed 0 of every row, in a folded block."""
  places = {"data": "$DATA", "sample": "sample"}
  runs = [ablation_runs.Run(table, entry.row, 0, "").commands("model", **places)
          for entry in found]
  commands = [train for train, _ in runs]
  if table.sample_data is not None:
    commands.insert(0, ablation_runs.sample_command(table, "sample"))
  return "\n".join([
      "<details><summary>The commands of seed 0, a row each</summary>\n",
      *map(_typed, commands), "\nand after each\n", _typed(runs[0][1]), "\n</details>"])


def _typed(command):
  # Single quotes would keep the shell from filling in $DATA.
  return "    " + " ".join(f'"{word}"' if word.count("$DATA") else shlex.quote(word)
                           for word in command)


def _row_name(entry):
  total = len(entry.runs) + len(entry.failed)
  return entry.row.name + (
      f" (**failed**: {len(entry.failed)} of {total})" if entry.failed else "")


def _line(cells):
  return "| " + " | ".join(cells) + " |"


def _with_deviation(values, digits=4):
  if not values:
    return "–"
  return _plus_minus(*numbers.mean_and_deviation(values), f".{digits}f")


def _with_error(values):
  if not values:
    return "–"
  return _plus_minus(*numbers.mean_and_error(values), "+.4f")


def _plus_minus(mean, spread, form):
  text = format(mean, form).replace("-", "−")
  return text if math.isnan(spread) else f"{text} ± {format(spread, form.lstrip('+'))}"


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
    statistics = [numbers.mean_and_deviation(entry.values(column) or [math.nan])
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
