# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads an archive that may be from anybody: with checks, forwards, in little memory."""

import contextlib
import gzip
import os
import pathlib
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any
from typing import cast

from yt8m.core import directories
from yt8m.core import files
from yt8m.core.types import PathLike

_MAX_MEMBERS = 10_000
_MAX_HEADERS = 16 * 2**20  # of all members together: 1.5 KiB each
_MAX_NAME = 255  # bytes of a file name, as in most file systems
_CHUNK = 2**20
# What the parsers of gzip and tar raise for bytes that are none.
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError,
            OverflowError, IndexError, RecursionError)


class _RefusedError(Exception):
  """The archive is refused; the message has no path."""


@contextlib.contextmanager
def errors_named(path: PathLike) -> Iterator[None]:
  """Turns what `members` and its contents raise into errors that name the archive.

  Raises:
    ValueError: The archive is refused or damaged.
  """
  try:
    yield
  except _RefusedError as error:
    raise ValueError(f"{path}: {error}") from error
  except _DAMAGED as error:
    raise ValueError(f"{path} is not a complete .tgz archive: {error}") from error


def members(path: PathLike, kind: directories.Kind,
            max_bytes: int) -> Iterator[tuple[str, Iterator[bytes] | None]]:
  """Yields name and content of each member, after all checks; a folder has no content.

  Use it inside `errors_named`. The content must be read before the next member is taken,
  or not at all. After the last member, the checksum of the whole archive is compared.
  """
  seen, total, number = set(), 0, 0
  with (files.open_to_read(path, "rb") as file,
        gzip.GzipFile(fileobj=file) as decompressed):
    reader = _Reader(decompressed, max_bytes)
    # Only these methods are called. (The type wants all of those of a file.)
    archive = tarfile.open(fileobj=cast(Any, reader), mode="r:")
    for member in archive:
      name = _checked_name(member, kind)
      total, number = total + member.size, number + 1
      if number > _MAX_MEMBERS:
        raise _RefusedError(f"it has more than {_MAX_MEMBERS:,} members.")
      if total > max_bytes:
        raise _RefusedError(_too_large(max_bytes))
      if not member.isreg():
        yield name, None
        continue
      if name.casefold() in seen:
        raise _RefusedError(f"member {member.name!r} is there twice.")
      seen.add(name.casefold())
      yield name, reader.content(member)
    reader.read_to_end()


def _checked_name(member: tarfile.TarInfo, kind: directories.Kind) -> str:
  """Returns the name of a member as a path below the directory."""
  name, shown = pathlib.PurePosixPath(member.name), repr(member.name[:400])
  if name.is_absolute() or ".." in name.parts or "\\" in member.name:
    raise _RefusedError(f"member {shown} points outside the archive.")
  if not (member.isreg() or member.isdir()) or member.issparse() or member.size < 0:
    raise _RefusedError(
        f"member {shown} is neither a file nor a folder but a link, a device or a sparse "
        "file. Pack the model without them.")
  if not member.name.isprintable() or max(map(len, map(os.fsencode, name.parts)),
                                          default=0) > _MAX_NAME:
    raise _RefusedError(f"member {shown} has a name that no file of a model has.")
  if not name.parts and member.isreg():
    raise _RefusedError(f"member {shown} is a file without a name.")
  if name.parts and not kind.may_hold("/".join(name.parts), member.isdir()):
    raise _RefusedError(
        f"member {shown} is no file of a {kind.name}. Pack the model again with "
        "yt8m-inference --output_model_tgz, or without what does not belong to it.")
  return "/".join(name.parts)


def _too_large(max_bytes: int) -> str:
  return (f"it unpacks to more than {max_bytes / 2**30:g} GiB. If you trust it, and the "
          "disk has the room, allow more with --max_model_gib.")


class _Reader:
  """The decompressed bytes of an archive, read forwards and never many at once.

  `tarfile` takes whole headers into memory, however large they say they are, and seeks
  back by a byte, for which `gzip` may begin the file again.

  Args:
    file: Decompressed file.
    max_bytes: Largest number of bytes of all members.
  """

  def __init__(self, file: gzip.GzipFile, max_bytes: int):
    self._file, self._max_bytes = file, max_bytes
    self._position, self._last, self._headers = 0, b"", 0
    self._again = False  # whether the last byte is read again

  def tell(self) -> int:
    return self._position - self._again

  def seek(self, position: int) -> None:
    self._again = position == self._position - 1
    if position < self._position - 1:
      raise tarfile.StreamError("its members overlap")
    while self._position < position:
      if not self._next(position - self._position):
        raise EOFError("its end is missing")

  def read(self, size: int) -> bytes:
    """Reads a header, or a part of one."""
    self._headers += size
    if self._headers > _MAX_HEADERS:
      raise _RefusedError("it has headers of more than "
                          f"{_MAX_HEADERS / 2**20:g} MiB: it is no archive of a model.")
    if self._again and size:
      self._again = False
      return self._last + self.read(size - 1)
    parts = []
    while size and (part := self._next(size)):
      parts.append(part)
      size -= len(part)
    return b"".join(parts)

  def content(self, member: tarfile.TarInfo) -> Iterator[bytes]:
    """Yields the bytes of a member."""
    self.seek(member.offset_data)
    end = member.offset_data + member.size
    while self._position < end:
      if not (part := self._next(end - self._position)):
        raise EOFError("its end is missing")
      yield part

  def read_to_end(self) -> None:
    while self._next(_CHUNK):
      pass

  def _next(self, size: int) -> bytes:
    part = self._file.read(min(size, _CHUNK))
    self._position += len(part)
    self._last = part[-1:] or self._last
    if self._position > self._max_bytes + _MAX_HEADERS:
      raise _RefusedError(_too_large(self._max_bytes))
    return part
