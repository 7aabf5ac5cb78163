# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The names of the classes: `vocabulary.csv` of a training directory and a SavedModel.

Three kinds of CSV are read, told apart by their header:

    Index,TrainVideoCount,KnowledgeGraphId,Name,…    vocabulary.csv of YouTube-8M
    index,mid,display_name                           class_labels_indices.csv of AudioSet
    index,name                                       with or without this line

The last one is written.
"""

import collections
import csv
import dataclasses
import hashlib
import os
from collections.abc import Mapping

import tensorflow as tf
from absl import logging

from yt8m.core import csv_files
from yt8m.core import files
from yt8m.core.types import PathLike

FILE = "vocabulary.csv"
_HEADER = ["index", "name"]
_MOST_CLASSES = 10**7
_NAME_COLUMNS = ("display_name", "name")
# Below a directory: places of the file in a training directory and in a SavedModel.
_PLACES = (FILE, f"assets/{FILE}")


@dataclasses.dataclass(frozen=True)
class Vocabulary:
  """The names of C classes.

  Attributes:
    names: C different texts of one line. A class without a name is `"class 17"`. If
      several have one name, their indexes follow it, as in `"Crane (2)"`.
  """
  names: tuple[str, ...]

  @classmethod
  def of(cls, names: Mapping[int, str], num_classes: int) -> "Vocabulary":
    """Returns the vocabulary of names that may be missing, empty or equal.

    >>> from yt8m.core import vocabulary
    >>> vocabulary.Vocabulary.of({0: "Crane", 2: "Crane"}, num_classes=3).names
    ('Crane (0)', 'class 1', 'Crane (2)')

    Args:
      names: Names by class.
      num_classes: Number of classes, C.
    """
    shown = [one_line(names.get(index, "")) or unnamed(index)
             for index in range(num_classes)]
    # Again, as a name may be what another one has become.
    while len(counts := collections.Counter(shown)) < num_classes:
      shown = [f"{name} ({index})" if counts[name] > 1 else name
               for index, name in enumerate(shown)]
    return cls(tuple(shown))

  @classmethod
  def load(cls, path: PathLike, num_classes: int) -> "Vocabulary":
    """Reads a CSV; a warning says how many classes have no name there.

    Args:
      path: Path of the CSV, local or remote.
      num_classes: Number of classes, C.

    Raises:
      FileNotFoundError: There is no file at `path`.
      ValueError: The file is not such a CSV, or not of these classes. The message names
        file and line.
    """
    names = _read(path, num_classes)
    if unnamed := num_classes - sum(map(bool, map(one_line, names.values()))):
      logging.warning("%s has no names of %d of the %d classes: they are shown as "
                      '"class <index>".', path, unnamed, num_classes)
    return cls.of(names, num_classes)

  @classmethod
  def count(cls, path: PathLike) -> int:
    """Returns the number of classes of a CSV: one more than the largest index.

    Raises:
      FileNotFoundError: There is no file at `path`.
      ValueError: The file is not such a CSV.
    """
    return 1 + max(_read(path, _MOST_CLASSES))

  @classmethod
  def find(cls, directory: PathLike, num_classes: int) -> "Vocabulary | None":
    """Reads that of a training directory or a SavedModel; None if it has none."""
    for place in _PLACES:
      path = os.path.join(directory, place)
      if tf.io.gfile.exists(path):
        return cls.load(path, num_classes)
    return None

  def write(self, path: PathLike) -> None:
    """Writes a CSV from which `load` reads the same names."""
    with files.atomic_write(path) as file:
      writer = csv.writer(file, lineterminator="\n")
      writer.writerows([_HEADER, *enumerate(self.names)])

  @property
  def digest(self) -> str:
    """The beginning of a SHA-256 of the names."""
    return hashlib.sha256("\n".join(self.names).encode()).hexdigest()[:16]


def unnamed(index: int) -> str:
  """Returns what is shown of a class without a name."""
  return f"class {index}"


def one_line(name: str) -> str:
  """Returns a name as it is kept, without control characters and superfluous spaces."""
  return " ".join("".join(c if c.isprintable() else " " for c in name).split())


def _read(path: PathLike, num_classes: int) -> dict[int, str]:
  """Returns the names in a CSV by class; errors are those of `Vocabulary.load`."""
  columns, names = None, {}
  for line in csv_files.read(path, quotes_expected=True):
    cells = list(map(str.strip, line.cells))
    try:
      if columns is None and any(cells):
        columns = _Columns.of(cells)
        if csv_files.whole_number(cells[0]) is None:
          continue  # a header
      if columns is not None and any(cells):
        index, name = columns.entry(cells, num_classes)
        if index in names:
          raise ValueError(f"the index {index} is there for the second time: remove one "
                           "of the lines")
        names[index] = name
    except ValueError as error:
      raise ValueError(f"{path}, line {line.number}: {error}.") from error
  if not names:
    raise ValueError(f"{path} holds no names of classes: name a CSV with the columns "
                     "index and name.")
  return names


@dataclasses.dataclass(frozen=True)
class _Columns:
  """The columns of a CSV: their number, and those of index and name, from 0."""
  count: int = 2
  index: int = 0
  name: int = 1

  @classmethod
  def of(cls, cells: list[str]) -> "_Columns":
    """Returns the columns of a CSV with this first line."""
    if csv_files.whole_number(cells[0]) is not None:
      return cls()
    header = [cell.lower() for cell in cells]
    name = next((name for name in _NAME_COLUMNS if name in header), None)
    if name is None or _HEADER[0] not in header:
      raise ValueError(
          "it is no header with the columns index and name (or display_name), and does "
          "not begin with the index of a class: write the header index,name")
    return cls(len(header), header.index(_HEADER[0]), header.index(name))

  def entry(self, cells: list[str], num_classes: int) -> tuple[int, str]:
    """Returns the index and the name of a line."""
    if any(cells[self.count:]) or len(cells) <= max(self.index, self.name):
      raise ValueError(
          f"it has {len(cells)} cells instead of {self.count}: put a name with commas in "
          "quotes, and name the columns in the first line if there are others")
    index = csv_files.whole_number(cells[self.index])
    if index is None:
      raise ValueError(f"the index {cells[self.index][:80]!r} is not a whole number: "
                       "correct it")
    if index >= num_classes:
      raise ValueError(
          f"the index {index} is not below the number of classes, {num_classes}: name "
          "the vocabulary of these classes, or correct --num_classes")
    return index, cells[self.name]
