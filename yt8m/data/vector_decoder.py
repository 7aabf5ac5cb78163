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
other, and returns None for a batch that holds anything else, which the parser then reads
as a whole: an entry that appears twice, no vectors at all, a vector of another size, kind
or encoding, values that are not finite.
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
# Vectors that are copied at once: what is copied first stays in the processor's cache.
_COPIED = 64


class VectorDecoder:
  """Reads batches of video-level records.

  Args:
    spec: Names, sizes and types of the features.
    batch_size: Number of records of a batch, at most.

  Attributes:
    types: Types of what `read` returns after the records.
  """

  def __init__(self, spec: feature_spec.FeatureSpec, batch_size: int):
    self._sizes, self._dtypes = spec.sizes, spec.dtypes
    self._names = [wire.field(wire.FIRST, name.encode()) for name in spec.names]
    self._headers = [_header(name, size) for name, size in zip(
        self._names, spec.sizes, strict=True)]
    self.types = ("bool", *spec.dtypes)
    self._memories = locators.Memories()
    self._buffers = [buffers.Buffers(batch_size * size * np.dtype(dtype).itemsize)
                     for size, dtype in zip(self._sizes, self._dtypes, strict=True)]

  def read(self, paths: Sequence[str], batch: np.ndarray) -> list[np.ndarray] | None:
    """Reads a batch.

    Args:
      paths: Paths of the files.
      batch: Locators of the records, (batch_size, 4).

    Returns:
      The records without the vectors, (batch_size,) bytes; whether a record has a
      feature, (batch_size, num_features) bool; and the vectors of each feature,
      (batch_size, size), zeros where it is missing. None if the batch must be parsed.

    Raises:
      locators.DamagedError: A file is damaged.
    """
    with self._memories.borrow() as memory:
      starts, ends = locators.load(paths, batch, memory)
      found = self._find(memory.array, starts, ends)
      if found is None:
        return None
      places, pieces = found
      present = places >= 0
      if not present.any(axis=1).all():
        return None
      vectors = [self._vectors(memory.array, places[:, i], i)
                 for i in range(len(self._sizes))]
      if not all(np.isfinite(values).all() for values in vectors):
        return None
      return [_joined(memory.array, *pieces, len(batch)), present, *vectors]

  def _find(self, array, starts, ends):
    """Returns where each vector of each record is, and all other entries, or None.

    Returns:
      The first byte of the vectors, (batch_size, num_features), -1 for a missing one; and
      `(rows, first, last)` of the other entries, one after another for each record.
    """
    places = np.full((len(starts), len(self._sizes)), -1)
    if not (array[starts] == wire.FIRST).all():
      return None
    lengths, at = _lengths(array, starts + 1)
    contents = at + lengths
    tails = contents == ends - len(_NO_LISTS)
    if not ((contents == ends) | tails).all() or not _begins(
        array, contents[tails], _NO_LISTS).all():
      return None
    ends = contents
    rows, others = np.arange(len(starts)), []
    for _ in range(_MAX_ENTRIES):
      left = at < ends
      if not left.all():
        rows, at, ends = rows[left], at[left], ends[left]
      if not len(rows):
        return places, [np.concatenate(x) for x in zip(*others, strict=True)]
      lengths, content = _lengths(array, at + 1)
      after = content + lengths
      if (after > ends).any() or not (
          (array[at] == wire.FIRST) & (array[content] == wire.FIRST)).all():
        return None
      other = np.ones(len(rows), bool)
      for i, (header, size) in enumerate(zip(self._headers, self._sizes, strict=True)):
        same = np.flatnonzero(lengths == len(header) + 4 * size)
        if not len(same):
          continue
        same = same[_begins(array, content[same], header)]
        if (places[rows[same], i] >= 0).any():
          return None
        places[rows[same], i] = content[same] + len(header)
        other[same] = False
      other = np.flatnonzero(other)
      for name in self._names:
        if _begins(array, content[other], name).any():
          return None
      others.append((rows[other], at[other], after[other]))
      at = after
    return None

  def _vectors(self, array, places, i):
    """Returns the vectors of a feature, (batch_size, size)."""
    vectors = self._buffers[i].array((len(places), self._sizes[i]), self._dtypes[i])
    rows = np.flatnonzero(places >= 0)
    whole = len(rows) == len(places)
    if not whole:
      vectors[:] = 0
    with np.errstate(over="ignore"):  # of float16, which is then not finite
      for first in range(0, len(rows), _COPIED):
        some = rows[first:first + _COPIED]
        copied = locators.window(array, places[some], 4 * self._sizes[i]).view("<f4")
        vectors[slice(first, first + _COPIED) if whole else some] = copied
    return vectors


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
  return (locators.window(array, places, len(expected))
          == np.frombuffer(expected, np.uint8)).all(axis=1)


def _joined(array, rows, first, last, num_rows):
  """Returns records of the entries of each row, (num_rows,) bytes."""
  order = np.argsort(rows, kind="stable")
  first, lengths = first[order], (last - first)[order]
  ends = np.cumsum(lengths)
  total = int(ends[-1]) if len(ends) else 0
  data = array[np.repeat(first - ends + lengths, lengths) + np.arange(total)].tobytes()
  sizes = np.bincount(rows[order], lengths, num_rows).astype(np.int64)
  stops = np.cumsum(sizes).tolist()
  found = np.empty(num_rows, object)
  start = 0
  for row, stop in enumerate(stops):
    found[row] = _tag(stop - start) + data[start:stop]
    start = stop
  return found


@functools.lru_cache(maxsize=1024)
def _tag(size):
  return bytes([wire.FIRST]) + wire.digits(size)
