# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads CSVs, also those that a spreadsheet has opened and saved.

A spreadsheet adds a byte order mark, separates cells by semicolons, puts them in quotes
and writes 2 as 2.0. All this is read as it was meant. It also cuts cells at 32,767
characters, which is an error.
"""

import csv
import dataclasses
import functools
import re
from collections.abc import Iterator

from yt8m.core import text_lines
from yt8m.core.types import PathLike

# Largest number of characters that Excel keeps of a cell. A cell that is cut after a
# space may have lost that, too.
_EXCEL_CELL = 32_767
_SEPARATORS = {";": "semicolons", "\t": "tabs"}

# Regular expression of a number from 0 on. Python also reads 1_000, +5, nan and the
# digits of other scripts.
NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"


@dataclasses.dataclass(frozen=True)
class Line:
  """A line of a CSV.

  Attributes:
    number: Number of the line, counted from 1.
    text: The line as it stands in the file, without its end.
    cells: Its cells, without their quotes.
  """
  number: int
  text: str
  cells: list[str]

  def first(self, count: int) -> list[str] | None:
    """Returns the first cells; None if there are not as many, or more that are filled."""
    cells, others = self.cells[:count], self.cells[count:]
    return cells if len(cells) == count and not any(map(str.strip, others)) else None


def read(path: PathLike, report: text_lines.Report | None = None,
         quotes_expected: bool = False) -> Iterator[Line]:
  """Yields the lines of a CSV.

  A line break inside a cell is a fault: none of our files has one, and a quote without
  its other half must not swallow the rest of the file.

  Args:
    path: Path of the CSV, local or remote.
    report: Function that is called with the faults; `text_lines.warn_or_refuse` by
      default. Cells that were cut are reported after the last line.
    quotes_expected: Whether cells in quotes are no fault, because texts need them.

  Raises:
    FileNotFoundError: There is no file at `path`.
    ValueError: The file is not a text file (`text_lines.check_kind`).
  """
  report = report or functools.partial(text_lines.warn_or_refuse, path)
  separator, in_quotes, longest, cut = "", False, 0, []
  for number, text in text_lines.read(path, report):
    if not separator and text:
      separator = next((s for s in _SEPARATORS if s in text and "," not in text), ",")
      if separator in _SEPARATORS:
        report(text_lines.Fault(
            number, f"cells are separated by {_SEPARATORS[separator]}: save the file "
            "with commas", harmless=True))
    cells = text.split(separator or ",")
    if '"' in text:
      try:
        unquoted = _unquoted(text, separator)
      except csv.Error:
        report(text_lines.Fault(
            number, "a quote has no other half, or a cell has a line break inside"))
      else:
        if unquoted != cells and not in_quotes and not quotes_expected:
          in_quotes = True
          report(text_lines.Fault(
              number, "cells are in quotes: save the file without them", harmless=True))
        cells = unquoted
    length = max(map(len, cells))
    longest = max(longest, length)
    if _EXCEL_CELL - 1 <= length <= _EXCEL_CELL:
      cut.append(number)
    yield Line(number, text, cells)
  if longest <= _EXCEL_CELL:  # Otherwise no spreadsheet has cut this file.
    for number in cut:
      report(text_lines.Fault(
          number, f"a cell has {_EXCEL_CELL:,} characters, as many as a spreadsheet "
          "keeps, and is cut off there: use the file as it was before"))


def whole_number(cell: str) -> int | None:
  """Returns the number of a cell, or None if it is not one.

  >>> from yt8m.core import csv_files
  >>> [csv_files.whole_number(cell) for cell in ("7", " 2.0 ", "2.5", "1.000", "x")]
  [7, 2, None, None, None]
  """
  match = re.fullmatch(r"\s*([0-9]{1,18})(?:\.0)?\s*", cell)
  return int(match[1]) if match else None


def number(cell: str) -> float | None:
  """Returns the number of a cell, from 0 on, or None if it is not one.

  >>> from yt8m.core import csv_files
  >>> [csv_files.number(cell) for cell in ("2.5", " 1e3 ", "nan", "1_000", "-1")]
  [2.5, 1000.0, None, None, None]
  """
  match = re.fullmatch(rf"\s*({NUMBER})\s*", cell)
  return float(match[1]) if match else None


def _unquoted(text: str, separator: str) -> list[str]:
  csv.field_size_limit(max(csv.field_size_limit(), len(text)))
  return next(csv.reader([text], delimiter=separator or ",", strict=True))
