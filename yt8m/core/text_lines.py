# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The lines of text files that people, spreadsheets or other programs wrote.

What is not UTF-8 text with one line end after each line is named, with a remedy.
"""

import dataclasses
import functools
import io
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from absl import logging

from yt8m.core import files
from yt8m.core.types import PathLike

_BUFFER = 2**20
_BOM = b"\xef\xbb\xbf"
# By their first bytes: files that are taken for text, and what to do with them.
_OTHER_KINDS = {
    b"\xff\xfe": "is UTF-16 text, as Excel saves \"Unicode text\": save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text: save it as UTF-8",
    b"PK\x03\x04": "is an Excel workbook or a ZIP archive: save it as CSV (UTF-8)",
    b"\x1f\x8b": "is compressed with gzip: unpack it first (gunzip)"}


@dataclasses.dataclass(frozen=True)
class Fault:
  """Something that is wrong with a line.

  Attributes:
    line: Number of the line, counted from 1.
    text: Clause that says what is wrong, with a remedy.
    harmless: Whether the content is read all the same as it was meant.
  """
  line: int
  text: str
  harmless: bool = False


# Function that is called with every fault.
Report = Callable[[Fault], None]


def warn_or_refuse(path: PathLike, fault: Fault) -> None:
  """Logs a harmless fault of a file, and raises a ValueError for any other."""
  message = f"{path}, line {fault.line}: {fault.text}."
  if not fault.harmless:
    raise ValueError(message)
  logging.warning("%s", message)


def read(path: PathLike, report: Report | None = None) -> Iterator[tuple[int, str]]:
  """Yields the number and the text of every line, without its end.

  Args:
    path: Path of the file, local or remote.
    report: Function that is called with the faults. Default: `warn_or_refuse`.

  Raises:
    FileNotFoundError: There is no file at `path`.
    ValueError: The file is of another kind (`check_kind`).
  """
  report = report or functools.partial(warn_or_refuse, path)
  number, data = 0, b"\n"
  with files.open_to_read(path, "rb") as file:
    for number, data in enumerate(raw_lines(file), start=1):
      text = data
      if number == 1:
        check_kind(path, data)
        if data.startswith(_BOM):
          report(Fault(1, "the file begins with a byte order mark, as Excel writes it: "
                       "save it as UTF-8 without one", harmless=True))
          text = data[len(_BOM):]
      text = text.removesuffix(b"\n").removesuffix(b"\r")
      if b"\r" in text or b"\0" in text:
        report(Fault(number, "a carriage return or a zero byte is inside the line: save "
                     "the file with the line ends of Linux or Windows"))
      try:
        decoded = text.decode()
      except UnicodeDecodeError as error:
        report(Fault(number, f"it is not UTF-8 (byte {text[error.start]:02X} at position "
                     f"{error.start}): save the file as UTF-8"))
        decoded = text.decode(errors="replace")
      yield number, decoded
  if not data.endswith(b"\n"):
    report(Fault(number, "the last line has no line end: if the file was cut off, write "
                 "it again; if not, add one", harmless=True))


def raw_lines(file: Any) -> io.BufferedReader:
  """Returns the lines of a GFile as they are; its own lack every carriage return."""
  return io.BufferedReader(_Raw(file), _BUFFER)


def check_kind(path: PathLike, start: bytes) -> None:
  """Refuses a file whose first bytes are not those of UTF-8 text.

  Raises:
    ValueError: The file is UTF-16, compressed or a workbook.
  """
  for magic, fault in _OTHER_KINDS.items():
    if start.startswith(magic):
      raise ValueError(f"{path} {fault}.")


class _Raw(io.RawIOBase):
  """The bytes of a GFile."""

  def __init__(self, file: Any):
    super().__init__()
    self._file = file

  def readable(self) -> bool:
    return True

  def readinto(self, buffer: Any, /) -> int:
    data = self._file.read(len(buffer))
    buffer[:len(data)] = data
    return len(data)
