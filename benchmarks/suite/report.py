# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The results of `benchmarks/run_all.py` as JSON, as Markdown and as a picture."""

import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from yt8m.core import files
from yt8m.core import markdown
from yt8m.core import plots

# Column of each part that the picture shows, and the columns that name a bar.
_BARS = {
    "readers": ("% of bare, CPU", ("level", "pipeline")),
    "steps": ("% of matmul", ("model",)),
    "steps_avx2": ("% of matmul", ("model",)),
    "predictions": ("% of matmul", ("model",)),
    "metrics": ("% of top_k, CPU", ("what",)),
    "ensemble": ("% of np.sort, CPU", ("what",)),
}
# Rows that are limits themselves, or other functions of the machine.
_LIMITS = {"bare read", "tf.math.top_k", "np.argpartition",
           "np.max (one pass over memory)", "np.sort"}
# Share of the limit that is aimed at.
_TARGETS = {"readers": 0.6}
_STOCK = "stock % of matmul"
_OURS, _OTHER, _LINE = "#2a6f97", "#c9ada7", "#9a031e"


def cell(title: str, value: Any) -> str:
  """Returns the text of a value in a column with this title.

  >>> from benchmarks.suite import report
  >>> report.cell("% of matmul", 0.613), report.cell("CPU s", 12.3456)
  ('61 %', '12.3')
  """
  if value is None:
    return "–"
  if not isinstance(value, float):
    return f"{value:,}" if isinstance(value, int) else str(value)
  if "%" in title:
    return f"{100 * value:.0f} %" if value >= 0.0995 else f"{100 * value:.1f} %"
  if "×" in title or title == "exponent":
    return f"{value:.2f}"
  return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
  """Returns rows as a table in Markdown; texts are aligned to the left."""
  titles = list(rows[0])
  return markdown.make(
      titles, [[cell(title, row[title]) for title in titles] for row in rows],
      left=[title for title in titles if isinstance(rows[0][title], str)])


def text(results: Mapping[str, Any]) -> str:
  """Returns all tables in Markdown, with what was measured where."""
  about = results["about"]
  lines = [f"Measured on {about['date']} on {about['device']}, {about['cores']} cores, "
           f"Python {about['python']}, TensorFlow {about['tensorflow']}; load average "
           f"before {about['load before']}, after {about['load after']}"
           + ("; QUICK, with tiny sizes: no result." if about["quick"] else ".")]
  for part in results["parts"].values():
    lines += ["", f"### {part['title']}", "",
              f"{part['note']} ({part['seconds']:.0f} s)", "", table(part["rows"])]
  return "\n".join(lines) + "\n"


def write(results: Mapping[str, Any], directory: str) -> None:
  """Writes `results.json`, `results.md` and `results.png` into a directory."""
  folder = pathlib.Path(directory)
  folder.mkdir(parents=True, exist_ok=True)
  files.write_json(str(folder / "results.json"), results)
  with files.atomic_write(str(folder / "results.md")) as file:
    file.write(text(results))
  if any(part in _BARS for part in results["parts"]):
    draw(results, str(folder / "results.png"))


def _shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
  """Returns the rows that are no limits themselves."""
  return [row for row in rows if not _LIMITS & set(map(str, row.values()))]


def draw(results: Mapping[str, Any], path: str) -> None:
  """Draws the shares of the limits as bars."""
  parts = {name: results["parts"][name] for name in _BARS if name in results["parts"]}
  counts = [len(_shown(part["rows"])) for part in parts.values()]
  figure = plots.figure(9, 1.2 + 0.3 * sum(counts) + 0.5 * len(counts))
  axes = figure.subplots(len(parts), 1, squeeze=False, height_ratios=counts, sharex=True)
  for axis, (name, part) in zip(axes[:, 0], parts.items(), strict=True):
    column, labels = _BARS[name]
    rows = _shown(part["rows"])
    places = range(len(rows))
    axis.barh(places, [100 * min(row[column], 1.2) for row in rows], 0.6, color=_OURS,
              label="this library")
    if any(row.get(_STOCK) for row in rows):
      axis.plot([100 * row[_STOCK] if row[_STOCK] else None for row in rows], places,
                "D", color=_OTHER, markeredgecolor="black", label="stock Keras layers")
      axis.legend(frameon=False, fontsize=8, loc="lower right")
    for place, row in zip(places, rows, strict=True):
      end = max(min(row[column], 1.2), row.get(_STOCK) or 0)
      axis.text(100 * end + 1.5, place, f"{100 * row[column]:.0f}", va="center",
                fontsize=8)
    if name in _TARGETS:
      axis.axvline(100 * _TARGETS[name], color=_LINE, linestyle="--", linewidth=1)
    axis.set_yticks(places, [", ".join(str(row[label]) for label in labels)
                             for row in rows], fontsize=8)
    axis.invert_yaxis()
    axis.set_title(f"{part['title']}: {column}", fontsize=9, loc="left")
    axis.set_xlim(0, 130)
    axis.spines[["top", "right"]].set_visible(False)
  figure.suptitle("Share of the limit in per cent of CPU seconds "
                  f"({results['about']['date']})", fontsize=10)
  plots.save(figure, path)


def replace_section(page: str, name: str, content: str) -> str:
  """Returns a page with the section between two markers replaced.

  Args:
    page: Markdown with the lines `<!-- name -->` and `<!-- end of name -->`.
    name: Name of the section.
    content: New content.

  Raises:
    ValueError: The page lacks a marker.
  """
  start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
  before, found, rest = page.partition(start)
  _, closed, after = rest.partition(end)
  if not found or not closed:
    raise ValueError(f"The page has no section {name!r}: add the lines {start.strip()} "
                     f"and {end}.")
  return f"{before}{start}\n{content.strip()}\n\n{end}{after}"
