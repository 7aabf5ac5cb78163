# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`videos.csv`: the media files to extract, with the names of their labels."""

import dataclasses
import os
from collections.abc import Mapping
from collections.abc import Sequence

from absl import logging

from yt8m.core import csv_files
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import video_ids
from yt8m.core import vocabulary
from yt8m.core.types import PathLike
from yt8m.data import dataset

_COLUMNS = ("path", "labels", "id", "start", "end", "split")
_FORM = ("a header and lines such as clips/a.mp4,cat;dog. Columns: "
         + ", ".join(_COLUMNS))


_MOST_SECS = 1e7  # of a file: 16 weeks


@dataclasses.dataclass(frozen=True)
class Clip:
  """A line of `videos.csv`: a media file or a part of one.

  Attributes:
    path: Path of the media file.
    labels: Names of its labels, without repetition.
    id: Id of the video.
    start: Seconds of the file to leave out.
    end: Seconds from the start of the file to the end of the clip; None for all of it.
    split: Split that the line names, one of `dataset.SPLITS`; "" if it names none.
  """
  path: str
  labels: tuple[str, ...] = ()
  id: str = ""
  start: float = 0.0
  end: float | None = None
  split: str = ""


def read(path: PathLike) -> list[Clip]:
  """Reads the clips of a CSV.

  Relative paths begin at the directory of the CSV. Without a column `id`, the id of a
  clip is its path as it is written, without extension, and `@start` if it has a start.

  Args:
    path: Path of the CSV.

  Raises:
    FileNotFoundError: There is no file at `path`.
    ValueError: A line cannot be used, or an id is there twice. The message names the
      line.
  """
  columns, num_columns, clips, lines = None, 0, [], {}
  folder = os.path.dirname(os.path.abspath(path))
  for line in csv_files.read(path, quotes_expected=True):
    cells = list(map(str.strip, line.cells))
    if not any(cells):
      continue
    try:
      if columns is None:
        columns, num_columns = _columns(cells, path), len(cells)
        continue
      clip = _clip(_entries(cells, columns, num_columns), folder)
      if clip.id in lines:
        raise ValueError(f"the id {clip.id} is also that of line {lines[clip.id]}: give "
                         "each clip another one in the column id")
    except ValueError as error:
      raise ValueError(f"{path}, line {line.number}: {error}.") from error
    lines[clip.id] = line.number
    clips.append(clip)
  if not clips:
    raise ValueError(f"{path} names no videos: it needs {_FORM}.")
  return clips


def _columns(cells: Sequence[str], path: PathLike) -> dict[str, int]:
  """Returns the columns by name, of the header."""
  names = [cell.lower() for cell in cells]
  if "path" not in names:
    raise ValueError(f"the header has no column path, but there must be {_FORM}")
  if repeated := [name for name in _COLUMNS if names.count(name) > 1]:
    raise ValueError(f"the header has the column {repeated[0]} twice: leave one of them "
                     "out")
  if ignored := [name for name in names if name not in _COLUMNS]:
    logging.warning("%s: columns that are not used: %s.", path,
                    fields.printable(", ".join(ignored)))
  return {name: names.index(name) for name in _COLUMNS if name in names}


def _entries(cells: Sequence[str], columns: Mapping[str, int], num_columns: int
             ) -> dict[str, str]:
  if any(cells[num_columns:]):
    raise ValueError(f"it has {len(cells)} cells, and the header {num_columns}: put "
                     "labels with semicolons, and any cell that holds what separates the "
                     "columns, in quotes")
  if len(cells) <= columns["path"] or not cells[columns["path"]]:
    raise ValueError("it has no path: fill the column path")
  return {name: cells[column] if column < len(cells) else ""
          for name, column in columns.items()}


def _clip(entries: Mapping[str, str], folder: str) -> Clip:
  path = entries["path"]
  if files.is_remote(path):
    raise ValueError(f"{fields.printable(path)} is remote: copy media files to this "
                     "machine")
  start, end = (_seconds(entries, name) for name in ("start", "end"))
  if end is not None and end <= (start or 0.0):
    raise ValueError(f"the end, {end:g} s, is not after the start, {start or 0:g} s: "
                     "correct one of them")
  video_id = entries.get("id") or os.path.splitext(path)[0] + (
      f"@{start:g}" if start else "")
  split = entries.get("split", "").lower()
  if split and split not in dataset.SPLITS:
    raise ValueError(f"the split {fields.short(split)} is none of "
                     f"{', '.join(dataset.SPLITS)}: name one of them, or leave it empty")
  labels = dict.fromkeys(map(vocabulary.one_line, entries.get("labels", "").split(";")))
  return Clip(os.path.join(folder, os.path.expanduser(path)),
              tuple(filter(None, labels)), video_ids.as_text(video_id), start or 0.0,
              end, split)


def _seconds(entries: Mapping[str, str], name: str) -> float | None:
  text = entries.get(name, "")
  if not text:
    return None
  seconds = csv_files.number(text)
  if seconds is None or not 0 <= seconds <= _MOST_SECS:
    raise ValueError(f"the {name} {fields.short(text)} is no number of seconds of a "
                     "file: write one such as 90 or 12.5")
  return seconds


def class_names(clips: Sequence[Clip]) -> list[str]:
  """Returns the names of all labels, sorted."""
  return sorted({name for clip in clips for name in clip.labels})
