# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Figures in PNG files, for which matplotlib is an optional extra."""

import os
import types
from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.core import files
from yt8m.core.types import PathLike

if TYPE_CHECKING:
  from matplotlib.figure import Figure


def matplotlib() -> types.ModuleType:
  """Returns the module `matplotlib`, with `figure`, `patches` and `ticker` imported.

  Raises:
    ValueError: matplotlib is not installed.
  """
  try:
    import matplotlib
    import matplotlib.figure
    import matplotlib.patches
    import matplotlib.ticker
  except ImportError as error:
    raise ValueError(
        "Figures need matplotlib: run pip install 'yt8m[report]'.") from error
  return matplotlib


def available() -> bool:
  """Returns whether figures can be drawn, that is whether matplotlib is installed."""
  try:
    matplotlib()
  except ValueError:
    return False
  return True


def can_draw(pictures: str) -> bool:
  """Returns whether figures can be drawn; if not, a line of the log says what is missing.

  Args:
    pictures: Name of the figures, at the beginning of the line.
  """
  if available():
    return True
  logging.warning("%s left out: matplotlib is missing (pip install 'yt8m[report]').",
                  pictures)
  return False


def figure(width: float, height: float, **kwargs) -> "Figure":
  """Returns a new figure whose size is given in inches.

  The figure does not belong to pyplot, so it needs no display and is freed after use.

  Args:
    width: Width in inches.
    height: Height in inches.
    **kwargs: Further arguments of `matplotlib.figure.Figure`.

  Raises:
    ValueError: matplotlib is not installed.
  """
  return matplotlib().figure.Figure(
      figsize=(width, height), layout="constrained", **kwargs)


def literal(text: str) -> str:
  """Returns a text in which matplotlib finds no formulas, such as a name with a `$`."""
  return text.replace("$", r"\$")


def save(figure: "Figure", path: PathLike, dpi: int = 120) -> None:
  """Writes a figure to a PNG file, which is there whole or not at all."""
  with files.atomic_write(path, "wb") as file:
    figure.savefig(file, format="png", dpi=dpi)


def is_ours(path: PathLike) -> bool:
  """Returns whether a file is a PNG that matplotlib has drawn, as `save` writes it."""
  if tf.io.gfile.isdir(path):
    return False
  with files.open_to_read(path, "rb") as file:
    start = file.read(1024)
  return start.startswith(b"\x89PNG") and b"Matplotlib" in start


def write_document(path: str, parts: Sequence[str], chart: str, caption: str,
                   draw: Callable[[str], None]) -> None:
  """Writes a Markdown document and, with matplotlib, a picture beside it.

  Args:
    path: Path of the document, whose directory is made if needed.
    parts: Paragraphs of the document.
    chart: Path of the picture, a PNG file.
    caption: Text of the picture in the document.
    draw: Function of `chart` that writes the picture.
  """
  directory = os.path.dirname(path)
  with files.clear_disk_errors(directory):
    tf.io.gfile.makedirs(directory)
    if can_draw("The picture is"):
      draw(chart)
      parts = [*parts, f"![{caption}]({os.path.basename(chart)})"]
    with files.atomic_write(path) as file:
      file.write("\n\n".join(parts) + "\n")
  print(f"Wrote {path}", flush=True)


def check_replaceable(document: str, charts: Sequence[str], title: str, command: str,
                      flag: str) -> None:
  """Refuses to replace a document or a chart that a command has not written.

  Args:
    document: Path of the Markdown document; a path that the flag itself gives may be a
      symbolic link.
    charts: Paths of its charts.
    title: Text that the document begins with.
    command: Name of the command.
    flag: Flag that names the place of the files.

  Raises:
    OSError: One of them is there and is not ours.
  """
  for path in (document, *charts):
    if not files.is_remote(path):
      files.check_replaceable(path)
    if os.path.islink(path) and path != flags.FLAGS[flag].value:
      raise FileExistsError(f"{path} is a symbolic link, which is not followed: name "
                            f"another --{flag}, or move it away.")
  foreign = [chart for chart in charts
             if tf.io.gfile.exists(chart) and not is_ours(chart)]
  if tf.io.gfile.exists(document):
    with files.open_to_read(document, "rb") as file:
      start = file.read(len(title.encode()))
    foreign += [document] * (start != title.encode())
  if foreign:
    raise FileExistsError(f"{foreign[0]} is not replaced: {command} did not write it. "
                          f"Name another --{flag}, or move the file away.")
