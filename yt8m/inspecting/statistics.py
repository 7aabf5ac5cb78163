# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Statistics of a feature over all frames of all records."""

import collections

import numpy as np

from yt8m.core import feature_spec
from yt8m.inspecting import contents

_BYTES = 256
# A byte of a float's exponent takes fewer values than one of its fraction: bits of
# entropy by which they differ at least.
_GAP = 1.5
_ENOUGH = 2**16  # bytes for the guess
_FLOATS = {feature_spec.FLOAT16: np.dtype("<f2"), feature_spec.FLOAT32: np.dtype("<f4")}


class FeatureStatistics:
  """Counts, moments and the use of bytes of a feature.

  Attributes:
    num_records: Number of records that have the feature.
    num_frames: Number of its frames.
    sizes: Number of records by the size of their frames: bytes or floats.
    kinds: Number of records whose frames are byte strings (True), and floats (False).
    num_mixed: Number of records whose frames have several sizes or kinds.
    num_not_finite: Number of values that are NaN or infinite.
    num_zero: Number of frames that are all zeros.
    histogram: Number of bytes of each value, (256,); of bytes that are no floats.
  """

  def __init__(self):
    self.num_records = self.num_frames = self.num_mixed = 0
    self.num_not_finite = self.num_zero = 0
    self.sizes: collections.Counter[int] = collections.Counter()
    self.kinds: collections.Counter[bool] = collections.Counter()
    self.histogram = np.zeros(_BYTES, np.int64)
    self._dtype: str | None = None
    self._waiting: list[np.ndarray] = []  # for the guess of their type
    self._moments: dict[int, _Moments] = {}

  @property
  def size(self) -> int:
    """Most frequent number of values of a frame."""
    [(size, _)] = self.sizes.most_common(1)
    width = _FLOATS[self.dtype].itemsize if self.in_bytes and self.dtype in _FLOATS else 1
    return size // width

  @property
  def in_bytes(self) -> bool:
    """Whether most frames are byte strings."""
    return self.kinds[True] > self.kinds[False]

  @property
  def dtype(self) -> str:
    """Type of the values: of bytes it is a guess from the records that came first."""
    if not self.in_bytes:
      return feature_spec.FLOAT32
    return self._dtype or feature_spec.UINT8

  @property
  def moments(self) -> "_Moments | None":
    """Moments of the values of the most frequent size; None without values."""
    return self._moments.get(self.size)

  def add(self, values: contents.Values) -> None:
    """Adds the frames of a record, if it has any."""
    if not values.num_frames:
      return
    self.num_records += 1
    self.num_frames += values.num_frames
    array = values.array
    if array is None:
      self.num_mixed += 1
      return
    self.sizes[array.shape[1]] += 1
    self.kinds[values.in_bytes] += 1
    if not values.in_bytes:
      self._count(array)
      return
    self._waiting.append(array)
    if self._dtype or sum(map(np.size, self._waiting)) >= _ENOUGH:
      self._count_waiting()

  def _count_waiting(self) -> None:
    """Counts the frames of bytes that wait, once their type is known."""
    waiting, self._waiting = self._waiting, []
    if waiting and self._dtype is None:
      size = self.sizes.most_common(1)[0][0]
      self._dtype = guess_dtype(np.concatenate(
          [array for array in waiting if array.shape[1] == size] or waiting[:1]))
    for array in waiting:
      if self.dtype == feature_spec.UINT8:
        self.histogram += np.bincount(array.ravel(), minlength=_BYTES)
      elif array.shape[1] % _FLOATS[self.dtype].itemsize == 0:
        array = array.view(_FLOATS[self.dtype])
      self._count(array)

  def _count(self, array: np.ndarray) -> None:
    self.num_zero += int((~array.any(axis=1)).sum())
    if array.dtype != np.uint8:
      good = np.isfinite(array)
      self.num_not_finite += int(array.size - good.sum())
      array = np.where(good, array, 0)
    self._moments.setdefault(array.shape[1], _Moments(array.shape[1])).add(array)

  def finish(self) -> None:
    """Counts what is left; the statistics are complete then."""
    self._count_waiting()

  @property
  def num_byte_values(self) -> int:
    """Number of the 256 values of a byte that occur."""
    return int((self.histogram > 0).sum())


class _Moments:
  """Mean and deviation of each value of a feature.

  Attributes:
    count: Number of frames.
    least: Smallest value.
    largest: Largest value.
  """

  def __init__(self, size: int):
    self.count, self.least, self.largest = 0, np.inf, -np.inf
    self._sum, self._squares = np.zeros(size), np.zeros(size)

  def add(self, array: np.ndarray) -> None:
    """Adds frames, (num_frames, size)."""
    values = array.astype(np.float64)
    self.count += len(values)
    self.least = min(self.least, float(values.min()))
    self.largest = max(self.largest, float(values.max()))
    self._sum += values.sum(0)
    self._squares += np.square(values).sum(0)

  @property
  def mean(self) -> np.ndarray:
    """Mean of each value, (size,)."""
    return self._sum / self.count

  @property
  def deviation(self) -> np.ndarray:
    """Standard deviation of each value, (size,)."""
    return np.sqrt(np.maximum(self._squares / self.count - self.mean**2, 0))


def guess_dtype(array: np.ndarray) -> str:
  """Returns the type whose values frames of bytes probably hold, one of `DTYPES`.

  The bytes of a float with its exponent take far fewer values than those with the end of
  its fraction.

  Args:
    array: Frames, (num_frames, num_bytes) uint8.
  """
  width = array.shape[1]
  if width % 4 == 0:
    bits = _entropies(array.reshape(-1, 4))
    if bits[3] < min(bits[0], bits[1]) - _GAP:
      return feature_spec.FLOAT32
  if width % 2 == 0:
    bits = _entropies(array.reshape(-1, 2))
    if bits[1] < bits[0] - _GAP:
      return feature_spec.FLOAT16
  return feature_spec.UINT8


def _entropies(words: np.ndarray) -> list[float]:
  """Returns the entropy of each column, in bits; words of zeros are left out."""
  words = words[words.any(axis=1)]
  counts = [np.bincount(column, minlength=_BYTES) for column in words.T]
  shares = [count[count > 0] / max(1, len(words)) for count in counts]
  return [float(-(share * np.log2(share)).sum()) for share in shares]
