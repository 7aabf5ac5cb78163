# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Where records are in local files: rows of numbers that are read on their own.

A locator is a row `(index of the file, byte where the record begins, bytes of its data,
number of the record in the file)`, int64. `read` reads the records of a batch of them, in
any order, and checks length and checksums of each.

Files are not mapped into memory: a file that is cut while it is mapped kills the process.
"""

import collections
import contextlib
import functools
import os
import struct
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import google_crc32c
import numpy as np

from yt8m.data import framing
from yt8m.data import records

# Bytes that are read at once, if so many records follow each other. They are still in
# the processor's cache when they are decoded.
RUN_BYTES = 2**18
SLACK = 8  # bytes of a memory after those that `load` reads, at least
_DATA = framing.HEADER_BYTES  # bytes of a record before its data
_FOOTER_BYTES = framing.FRAMING_BYTES - _DATA
_read_header, _read_footer = (
    struct.Struct(code).unpack_from for code in ("<QI", "<I"))


class DamagedError(ValueError):
  """A record that is not what its locator says. The message names file and record."""


class Memory:
  """Bytes that are used again and again.

  Attributes:
    bytes: The bytes, of which single ones can be read fast.
    array: The same as uint8 array.
  """

  def __init__(self):
    self.resize(2 * RUN_BYTES)

  def resize(self, size: int) -> None:
    """Makes place for `size` bytes."""
    self.array: Any = np.empty(size, np.uint8)
    self.bytes = memoryview(self.array)


class Memories:
  """Memories for threads, each of which takes one that no other is using."""

  def __init__(self):
    self._idle = collections.deque()

  @contextlib.contextmanager
  def borrow(self) -> Iterator[Memory]:
    """Yields a memory."""
    try:
      memory = self._idle.pop()
    except IndexError:
      memory = Memory()
    yield memory
    self._idle.append(memory)


def has_fast_checksums() -> bool:
  """Returns whether checksums take microseconds: whether `google_crc32c` is compiled."""
  return google_crc32c.implementation == "c"


def of_file(file_index: int, offsets: np.ndarray | None) -> np.ndarray:
  """Returns the locators of all records of a file, (num_records, 4) int64.

  Args:
    file_index: Index of the file.
    offsets: `framing.Framing.offsets` of the file; None for no records.
  """
  if offsets is None:
    return np.zeros((0, 4), np.int64)
  numbers = np.arange(len(offsets) - 1)
  return np.stack([np.full_like(numbers, file_index), offsets[:-1],
                   np.diff(offsets) - framing.FRAMING_BYTES, numbers], axis=1)


def by_place(locators: np.ndarray) -> np.ndarray:
  """Returns the rows of locators ordered by file and place."""
  return np.lexsort((locators[:, 1], locators[:, 0]))


def read(paths: Sequence[str], locators: np.ndarray, memory: Memory
         ) -> Iterator[tuple[int, int, int]]:
  """Reads records into memory, a few at a time, ordered by their place.

  Args:
    paths: Paths of the files.
    locators: Locators of the records, (n, 4).
    memory: Memory that holds the record that was yielded last.

  Yields:
    `(row, start, end)`: the row of a locator, and where its data are in the memory.

  Raises:
    DamagedError: A file cannot be opened, ends early, or a checksum fails.
  """
  file, descriptor = -1, -1
  try:
    for run in _runs(locators):
      if run[0][1] != file:
        if descriptor >= 0:
          os.close(descriptor)
        file, descriptor = run[0][1], -1
        descriptor = _open(paths[file])
      first, last = run[0][2], run[-1][2] + run[-1][3] + framing.FRAMING_BYTES
      if last - first > len(memory.bytes):
        memory.resize(last - first)
      found = os.preadv(descriptor, [memory.bytes[:last - first]], first)
      for row, _, offset, length, number in run:
        start = offset - first + _DATA
        end = start + length
        if (end + _FOOTER_BYTES > found
            or _read_header(memory.bytes, start - _DATA)[0] != length):
          raise DamagedError(
              f"{paths[file]}, record {number} was changed while it was read: it is no "
              f"longer complete at byte {offset}.")
        if not _has_checksums(memory, start, end):
          raise DamagedError(
              f"{paths[file]}, record {number} {records.BAD_CHECKSUM} at byte {offset}.")
        yield row, start, end
  finally:
    if descriptor >= 0:
      os.close(descriptor)


def load(paths: Sequence[str], locators: np.ndarray, memory: Memory
         ) -> tuple[np.ndarray, np.ndarray]:
  """Reads many small records into memory, together; see `read`.

  Returns:
    Where the data of each record begin and end in the memory, (n,) int64.
  """
  order = by_place(locators)
  index, offset, length, _ = locators[order].T
  sizes = length + framing.FRAMING_BYTES
  places = np.concatenate([[0], np.cumsum(sizes)])
  if places[-1] + SLACK > len(memory.bytes):
    memory.resize(int(places[-1]) + SLACK)
  # Records that follow each other in a file are read in one call.
  breaks = 1 + np.flatnonzero(
      (np.diff(index) != 0) | (offset[1:] != offset[:-1] + sizes[:-1]))
  firsts = np.concatenate([[0], breaks]) if len(order) else breaks
  file, descriptor, good = -1, -1, True
  try:
    for first, start, stop, at in zip(
        firsts.tolist(), places[firsts].tolist(),
        places[np.concatenate([breaks, [len(order)]])].tolist(), offset[firsts].tolist(),
        strict=False):
      if index[first] != file:
        if descriptor >= 0:
          os.close(descriptor)
        file, descriptor = int(index[first]), -1
        descriptor = _open(paths[file])
      found = os.preadv(descriptor, [memory.bytes[start:stop]], at)
      good &= found == stop - start
  finally:
    if descriptor >= 0:
      os.close(descriptor)
  starts, ends = places[:-1] + _DATA, places[1:] - _FOOTER_BYTES
  if not good or not _all_have_checksums(memory, starts, ends, length):
    for _ in read(paths, locators, memory):  # Finds out which.
      pass
    raise DamagedError(f"{paths[file]} was changed while it was read.")
  rows = np.argsort(order)
  return starts[rows], ends[rows]


def read_strings(paths: Sequence[str], locators: np.ndarray, memory: Memory
                 ) -> np.ndarray:
  """Returns the records of locators in their order, (n,) bytes; see `read`."""
  found = np.empty(len(locators), object)
  for row, start, end in read(paths, locators, memory):
    found[row] = memory.bytes[start:end].tobytes()
  return found


def window(array: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
  """Returns `size` bytes from each start on, (n, size) uint8."""
  # Ten times as fast as `sliding_window_view`, which matters for small batches.
  return np.ndarray((len(array) - size + 1, size), np.uint8, array, 0, (1, 1))[starts]


@functools.lru_cache(maxsize=100_000)
def count_good(path: str, size: int, modified: int) -> int:
  """Returns how many records of a version of a file come before a bad checksum."""
  offsets = framing.inspect(path).offsets
  count = 0
  with contextlib.suppress(DamagedError):
    for _ in read([path], of_file(0, offsets), Memory()):
      count += 1
  return count


def _has_checksums(memory, start, end):
  header = start - _DATA
  length, checksum = _read_header(memory.bytes, header)
  return (checksum == _length_checksum(length)
          and _masked(google_crc32c.value(memory.array[start:end]))
          == _read_footer(memory.bytes, end)[0])


def _all_have_checksums(memory, starts, ends, length):
  headers = window(memory.array, starts - _DATA, _DATA)
  lengths = np.ascontiguousarray(headers[:, :8]).view("<i8")[:, 0]
  checksums = np.ascontiguousarray(headers[:, 8:]).view("<u4")[:, 0]
  if not np.array_equal(lengths, length):
    return False
  array, value = memory.array, google_crc32c.value
  found = np.array([value(array[start:end]) for start, end in zip(
      starts.tolist(), ends.tolist(), strict=True)], np.int64)
  footers = window(memory.array, ends, _FOOTER_BYTES).view("<u4")[:, 0]
  return (np.array_equal(_masked(found), footers)
          and list(map(_length_checksum, lengths.tolist())) == checksums.tolist())


@functools.lru_cache(maxsize=2**16)
def _length_checksum(length):
  return _masked(google_crc32c.value(length.to_bytes(8, "little")))


def _masked(crc):
  """Returns a CRC-32C as record files hold it: rotated, plus a constant."""
  return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def _runs(locators):
  """Yields lists of `(row, *locator)` that follow each other in a file."""
  order = by_place(locators)
  run, file, end, size = [], -1, -1, 0
  for row, locator in zip(order.tolist(), locators[order].tolist(), strict=True):
    index, offset, length, _ = locator
    length += framing.FRAMING_BYTES
    if run and (index != file or offset != end or size + length > RUN_BYTES):
      yield run
      run, size = [], 0
    run.append((row, *locator))
    file, end, size = index, offset + length, size + length
  if run:
    yield run


def _open(path):
  try:
    return os.open(path, os.O_RDONLY)
  except OSError as error:
    raise DamagedError(f"{path} cannot be read: {error.strerror}.") from error
