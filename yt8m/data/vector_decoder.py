# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Float vectors of whole batches, copied from the bytes of records without parsing each.

    Example           0A <features>
                      12 00, empty feature lists, may follow
    features          0A <entry>  0A <entry> …  in any order
    entry             0A <name>  12 <feature>
    feature           12 <float_list>
    float_list        0A <size floats>

An entry of a vector has the same bytes before its floats in every record. So all records
of a batch are followed from entry to entry at the same time. What is no vector (ids and
labels) is left to TensorFlow's parser. The decoder checks that lengths fit into each
other, and leaves any record that holds anything else to the parser: an entry that appears
twice, no vectors at all, a vector of another size, kind or encoding, values that are not
finite, damage.
"""

import functools
from collections.abc import Sequence

import numpy as np

from yt8m.core import feature_spec
from yt8m.data import buffers
from yt8m.data import locators
from yt8m.data import wire

_NO_LISTS = b"\x12\x00"
_MAX_ENTRIES = 32  # of a record
# Records that are read, and vectors that are copied, at once. What is read and copied
# first stays in the processor's caches.
_READ, _COPIED = 2048, 64


class VectorDecoder:
  """Reads many video-level records at once.

  Args:
    spec: Names, sizes and types of the features.
    max_records: Number of records that are read at once, at most.

  Attributes:
    types: Types of what `read` returns.
  """

  def __init__(self, spec: feature_spec.FeatureSpec, max_records: int):
    self.types = ("string", "bool", *spec.dtypes)
    self._sizes, self._dtypes = spec.sizes, spec.dtypes
    self._names = [wire.field(wire.FIRST, name.encode()) for name in spec.names]
    self._headers = [_header(name, size) for name, size in zip(
        self._names, spec.sizes, strict=True)]
    self._memories = locators.Memories()
    self._buffers = [buffers.Buffers(max_records * size * np.dtype(dtype).itemsize)
                     for size, dtype in zip(self._sizes, self._dtypes, strict=True)]

  def read(self, paths: Sequence[str], records: np.ndarray) -> list[np.ndarray]:
    """Reads records, in the order in which they are in their files.

    Args:
      paths: Paths of the files.
      records: Locators of the records, (num_records, 4), in any order.

    Returns:
      The records without the vectors, (num_records,) bytes, empty where a record must be
      parsed; whether a record has a feature, (num_records, num_features) bool; and the
      vectors of each feature, (num_records, size), zeros where it is missing.
    """
    rest = np.full(len(records), b"", object)
    present = np.zeros((len(records), len(self._sizes)), bool)
    vectors = [buffer.array((len(records), size), dtype) for buffer, size, dtype in zip(
        self._buffers, self._sizes, self._dtypes, strict=True)]
    order = locators.by_place(records)
    with self._memories.borrow() as memory:
      for first in range(0, len(order), _READ):
        rows = order[first:first + _READ]
        try:
          starts, ends = locators.load(paths, records[rows], memory)
        except locators.DamagedError:  # The parser will meet it again, and report it.
          for values in vectors:
            values[rows] = 0
          continue
        good, places, pieces = self._find(memory.array, starts, ends)
        good &= (places >= 0).any(axis=1)
        for i, values in enumerate(vectors):
          good &= self._copy(memory.array, places[:, i], values, rows)
        present[rows] = places >= 0
        rest[rows] = _joined(memory.array, pieces, good)
    return [rest, present, *vectors]

  def _find(self, array, starts, ends):
    """Finds the vectors of records, and all other entries.

    Returns:
      Whether each record is as expected, (n,) bool; the first byte of its vectors, (n,
      num_features), -1 for a missing one; and `(rows, first, last)` of the other entries,
      one after another for each record.
    """
    good = array[starts] == wire.FIRST
    places = np.full((len(starts), len(self._sizes)), -1)
    lengths, at = _lengths(array, starts + 1)
    contents = at + lengths
    tails = contents == ends - len(_NO_LISTS)
    tails[tails] = _begins(array, contents[tails], _NO_LISTS)
    good &= (contents == ends) | tails
    rows, ends = np.arange(len(starts)), contents
    others = [(rows[:0],) * 3]
    for _ in range(_MAX_ENTRIES):
      left = good[rows] & (at < ends)
      if not left.all():
        rows, at, ends = rows[left], at[left], ends[left]
      if not len(rows):
        break
      lengths, content = _lengths(array, at + 1)
      after = content + lengths
      fine = (after <= ends) & (array[at] == wire.FIRST)
      if not fine.all():
        good[rows[~fine]] = False
        rows, at, ends, lengths, content, after = (
            x[fine] for x in (rows, at, ends, lengths, content, after))
      fine = array[content] == wire.FIRST
      is_vector = np.zeros(len(rows), bool)
      for i, (header, size) in enumerate(zip(self._headers, self._sizes, strict=True)):
        same = np.flatnonzero(lengths == len(header) + 4 * size)
        if len(same):
          same = same[_begins(array, content[same], header)]
          fine[same] &= places[rows[same], i] < 0
          places[rows[same], i] = content[same] + len(header)
          is_vector[same] = True
      other = np.flatnonzero(~is_vector)
      for name in self._names:
        fine[other] &= ~_begins(array, content[other], name)
      good[rows[~fine]] = False
      others.append((rows[other], at[other], after[other]))
      at = after
    else:
      good[rows[at < ends]] = False
    return good, places, [np.concatenate(x) for x in zip(*others, strict=True)]

  def _copy(self, array, places, vectors, rows):
    """Copies vectors to rows of an array, zeros for -1; returns which are finite."""
    good = np.ones(len(rows), bool)
    size = vectors.shape[1]
    there = np.flatnonzero(places >= 0)
    if len(there) < len(rows):
      vectors[rows[places < 0]] = 0
    with np.errstate(over="ignore"):  # of float16, which is then not finite
      for first in range(0, len(there), _COPIED):
        some = there[first:first + _COPIED]
        copied = locators.window(array, places[some], 4 * size).view("<f4").astype(
            vectors.dtype, copy=False)
        good[some] = np.isfinite(copied).all(axis=1)
        vectors[rows[some]] = copied
    return good


def _header(name, size):
  """Returns what stands in an entry before the floats."""
  floats = bytes([wire.FIRST]) + wire.digits(4 * size)
  content = len(floats) + 4 * size
  inner = bytes([wire.SECOND]) + wire.digits(content)
  return name + bytes([wire.SECOND]) + wire.digits(len(inner) + content) + inner + floats


def _lengths(array, places):
  """Returns the lengths at places, of up to three digits, and where they end.

  A longer length comes out as longer than any record.
  """
  digits = locators.window(array, places, 4).astype(np.int64)
  more = np.cumprod(digits >= 128, axis=1)
  lengths = (digits[:, 0] & 127) + more[:, 0] * ((digits[:, 1] & 127) << 7) + (
      more[:, 1] * ((digits[:, 2] & 127) << 14)) + (more[:, 2] << 40)
  return lengths, places + 1 + more[:, 0] + more[:, 1]


def _begins(array, places, expected):
  """Returns whether bytes stand at places, (n,) bool."""
  fits = places <= len(array) - len(expected)  # A name may be longer than the last entry.
  fits[fits] = (locators.window(array, places[fits], len(expected))
                == np.frombuffer(expected, np.uint8)).all(axis=1)
  return fits


def _joined(array, pieces, good):
  """Returns records of the entries of each good row, (n,) bytes; others are empty."""
  rows, first, last = pieces
  order = np.argsort(rows, kind="stable")
  first, lengths = first[order], (last - first)[order]
  sizes = np.bincount(rows[order], lengths, len(good)).astype(np.int64)
  ends = np.cumsum(lengths)
  places = np.repeat(first - ends + lengths, lengths) + np.arange(ends[-1:].sum())
  data = array[places].tobytes()
  found = np.full(len(good), b"", object)
  start = 0
  for row, (stop, whole) in enumerate(zip(
      np.cumsum(sizes).tolist(), good.tolist(), strict=True)):
    if whole:
      found[row] = _tag(stop - start) + data[start:stop]
    start = stop
  return found


@functools.lru_cache(maxsize=1024)
def _tag(size):
  return bytes([wire.FIRST]) + wire.digits(size)
