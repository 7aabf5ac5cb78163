# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws docs/architecture.png: the packages by layer, and which imports which.

    python -m docs.make_architecture [--check]

An arrow points from a package to one that it imports. An arrow that other arrows
already imply (a path of length two or more) is thin. The imports are read from the
source, and also stand as a table in docs/architecture.md, which `--check` compares.
"""

import pathlib
import re
import sys
import typing

from tests import layout_test
from yt8m.core import plots

DOCS = pathlib.Path(__file__).resolve().parent
PAGE, PICTURE = DOCS / "architecture.md", DOCS / "architecture.png"
TABLE = re.compile(r"(<!-- imports -->\n).*?(<!-- end of imports -->)", re.DOTALL)
LAYERS = [packages.split() for packages in layout_test.LAYERS]

# Horizontal positions, chosen so that no arrow passes behind a box; others stand at 5.
COLUMNS = {"yt8m.training": 2.2, "yt8m.export": 6.2, "yt8m.artifacts": 3.9,
           "yt8m.inspecting": 6.3,
           "yt8m.synthetic": 8.6, "yt8m.configs": 2.2, "yt8m.models": 2.2,
           "yt8m.data": 7.0, "yt8m.extractors": 0.8, "yt8m.extracting": 0.8,
           "yt8m.media": 0.8}


def package_imports() -> dict[str, set[str]]:
  """`{package: packages that it imports}`, lowest layer first."""
  imports = {package: set() for packages in LAYERS for package in packages}
  for name in layout_test.MODULES:
    if name != "yt8m":
      imports[layout_test.package(name)] |= {
          layout_test.package(other) for other in layout_test.imported_modules(name)
          if other != "yt8m"}
  return {package: imported - {package} for package, imported in imports.items()}


def rooms(package: str) -> list[str]:
  """Folders of a package, or the names of the commands."""
  if package == "commands":
    return [name.rpartition(".")[2] for name in layout_test.MODULES
            if layout_test.package(name) == package and name != "yt8m"]
  folders = {layout_test.MODULES[name].parent.name for name in layout_test.MODULES
             if layout_test.package(name) == package}
  return sorted(folders - {package.rpartition(".")[2], "yt8m"})


def is_implied(imports: dict[str, set[str]], package: str, imported: str) -> bool:
  """Whether another import of `package` leads to `imported` as well."""
  return any(imported in imports[other] for other in imports[package] - {imported})


def table(imports: dict[str, set[str]]) -> str:
  rows = [f"| `{package}` | {', '.join(rooms(package))} | "
          f"{', '.join(sorted(i.removeprefix('yt8m.') for i in imported)) or '–'} |"
          for package, imported in reversed(imports.items())]
  return "\n".join(["| package | contents | imports |", "|---|---|---|", *rows])


def draw(imports: dict[str, set[str]]) -> None:
  """Writes the picture: one row per layer, commands at the top."""
  figure = plots.figure(10, 11)
  axes = figure.add_subplot()
  axes.set_axis_off()
  axes.set_xlim(0, 10)
  axes.set_ylim(-0.6, len(LAYERS) - 0.4)
  centers = {}
  for y, packages in enumerate(LAYERS):
    for package in packages:
      x = COLUMNS.get(package, 5)
      centers[package] = x, y
      content = "\n".join(_wrapped(rooms(package)))
      axes.text(x, y, f"$\\bf{{{package.replace('_', '')}}}$\n{content}".strip(),
                ha="center", va="center", fontsize=9, zorder=3,
                bbox={"boxstyle": "round,pad=0.5", "facecolor": "#eef3fa",
                      "edgecolor": "#31598c"})
  for package, imported in imports.items():
    for other in imported:
      thin = is_implied(imports, package, other)
      axes.annotate(
          "", xy=centers[other], xytext=centers[package], zorder=1 if thin else 2,
          arrowprops={"arrowstyle": "-|>", "color": "#c3ccd8" if thin else "#31598c",
                      "linewidth": 0.8 if thin else 1.6, "shrinkA": 24, "shrinkB": 26,
                      "connectionstyle": "arc3,rad=0.12"})
  plots.save(figure, PICTURE, dpi=100)


def _wrapped(names: list[str], columns: int = 5) -> typing.Iterator[str]:
  for start in range(0, len(names), columns):
    yield "  ".join(names[start:start + columns])


def main() -> None:
  imports = package_imports()
  page = PAGE.read_text()
  current = TABLE.sub(lambda match: f"{match[1]}{table(imports)}\n{match[2]}", page)
  if "--check" in sys.argv[1:]:
    if current != page:
      sys.exit("docs/architecture.md is not current: run `make docs`.")
    return
  PAGE.write_text(current)
  draw(imports)


if __name__ == "__main__":
  main()
