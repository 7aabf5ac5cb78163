# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames of whole batches, copied from the bytes of records without parsing each.

All frames of a feature have one size. So they stand at a fixed distance in a record, with
the same few bytes before each:

    SequenceExample   0A <context>  12 <feature lists>
    feature lists     0A <entry>  0A <entry> …
    entry             0A <name>  12 <frames>
    frames            0A <frame>  0A <frame> …
    frame             0A <bytes_list>  or  12 <float_list>
    either list       0A <size bytes of numbers>

This holds of every record that common writers make, and the decoder checks that it does:
lengths that fit into each other, every byte before every frame. A batch that holds
anything else is left to TensorFlow's parser: other fields or another order of them, an
entry that appears twice, no frames at all, frames of another size or kind, values that
are not finite.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from yt8m.core import feature_spec
from yt8m.data import buffers
from yt8m.data import locators
from yt8m.data import wire


@dataclasses.dataclass(frozen=True)
class _Feature:
  """How the frames of a feature are encoded.

  Attributes:
    column: Index of the feature.
    size: Number of values of a frame.
    dtype: Type of the values.
    num_bytes: Number of bytes of the values of a frame.
    headers: Bytes that may stand before a frame, each of the same length.
  """
  column: int
  size: int
  dtype: str
  num_bytes: int
  headers: tuple[bytes, ...]


class FrameDecoder:
  """Reads batches of frame-level records.

  Args:
    spec: Names, sizes and types of the features.
    max_frames: Number of frames of a video that are kept.
    pad_to_max_frames: Whether videos are padded to `max_frames`, rather than to the
      longest video of the batch.
    batch_size: Number of records of a batch, at most.

  Attributes:
    types: Types of what `read` returns.
  """

  def __init__(self, spec: feature_spec.FeatureSpec, max_frames: int,
               pad_to_max_frames: bool, batch_size: int):
    self._max_frames, self._pads = max_frames, pad_to_max_frames
    self._features = {
        name.encode(): _feature(column, size, dtype) for column, (name, size, dtype)
        in enumerate(zip(spec.names, spec.sizes, spec.dtypes, strict=True))}
    self.types = ("string", "int32", *spec.dtypes)
    self._memories = locators.Memories()
    self._buffers = [
        buffers.Buffers(batch_size * max_frames * feature.num_bytes)
        for feature in self._features.values()]

  def read(self, paths: Sequence[str], batch: np.ndarray) -> list[np.ndarray]:
    """Reads a batch; see `_decode`. What must be parsed comes out as empty records."""
    return self._decode(paths, batch) or [
        np.full(len(batch), b"", object), *(
            np.zeros((0, 0), dtype) for dtype in self.types[1:])]

  def _decode(self, paths, batch):
    """Reads a batch.

    Args:
      paths: Paths of the files.
      batch: Locators of the records, (batch_size, 4).

    Returns:
      The records without their frames, (batch_size,) bytes; the number of frames of each
      feature, (batch_size, num_features) int32; and the frames of each, (batch_size,
      num_frames, size), with zeros after the shortest feature that a record has. None if
      the batch must be parsed.

    Raises:
      locators.DamagedError: A file is damaged.
    """
    contexts = np.empty(len(batch), object)
    counts = np.zeros((len(batch), len(self._features)), np.int32)
    num_frames = self._num_frames(batch)
    arrays = [buffer.array((len(batch), num_frames, feature.size), feature.dtype)
              for buffer, feature in zip(
                  self._buffers, self._features.values(), strict=True)]
    longest = 1
    with self._memories.borrow() as memory:
      for row, start, end in locators.read(paths, batch, memory):
        found = self._find(memory.bytes, start, end)
        if not found:
          return None
        context_end, frames = found
        length = min(self._max_frames, *(count for _, _, count in frames))
        if length > num_frames:
          return None
        longest = max(longest, length)
        contexts[row] = memory.bytes[start:context_end].tobytes()
        missing = set(range(len(arrays)))
        for feature, first, count in frames:
          column = feature.column
          if not _copy(memory, feature, first, count, length, arrays[column][row]):
            return None
          counts[row, column] = count
          missing.discard(column)
        for column in missing:
          arrays[column][row] = 0
    if longest < num_frames and not self._pads:
      arrays = [array[:, :longest].copy() for array in arrays]
    return [contexts, counts, *arrays]

  def _num_frames(self, batch):
    """Returns how many frames there is place for."""
    if self._pads or not len(batch):
      return self._max_frames
    # Most of a record are its frames. If it lacks a feature, it holds more of them than
    # this; `read` notices.
    together = sum(feature.num_bytes + len(feature.headers[0])
                   for feature in self._features.values())
    return min(self._max_frames, max(1, int(batch[:, 2].max()) // together))

  def _find(self, data, start, end):
    """Returns where the frames of a record are, or None.

    Returns:
      Where the context ends; and `(feature, first byte, number of frames)` of each
      feature that has frames.
    """
    try:
      _, context_end = wire.content(data, start, wire.FIRST)
      place, lists_end = wire.content(data, context_end, wire.SECOND)
      if lists_end != end:
        return None
      frames, names = [], set()
      while place < end:
        entry, entry_end = wire.content(data, place, wire.FIRST)
        first, last = wire.content(data, entry, wire.FIRST)
        name = data[first:last].tobytes()
        first, last = wire.content(data, last, wire.SECOND)
        if name in names or last != entry_end or entry_end > end:
          return None
        names.add(name)
        feature = self._features.get(name)
        if feature and last > first:
          count, rest = divmod(last - first, feature.num_bytes + len(feature.headers[0]))
          if rest:
            return None
          frames.append((feature, first, count))
        place = entry_end
    except (IndexError, ValueError):
      return None
    return (context_end, frames) if frames and place == end else None


def _copy(memory, feature, first, count, length, row):
  """Copies frames to a row of an array; returns whether they are as they must be."""
  ahead = len(feature.headers[0])
  stride = ahead + feature.num_bytes
  frames = memory.array[first:first + count * stride].reshape(count, stride)
  # Faster than comparing arrays.
  found = frames[:, :ahead].tobytes()
  if not any(found == header * count for header in feature.headers):
    return False
  target = row.view(np.uint8)
  target[:length] = frames[:length, ahead:]
  target[length:] = 0
  if feature.dtype == feature_spec.UINT8:
    return True
  values = row
  if length < count:  # Those that are left out must be finite as well.
    values = np.ascontiguousarray(frames[:, ahead:]).view(feature.dtype)
  return bool(np.isfinite(values).all())


def _feature(column, size, dtype):
  num_bytes = size * np.dtype(dtype).itemsize
  numbers = bytes([wire.FIRST]) + wire.digits(num_bytes)
  kinds = [wire.FIRST] if dtype != feature_spec.FLOAT32 else [wire.FIRST, wire.SECOND]
  headers = []
  for kind in kinds:
    content = len(numbers) + num_bytes
    inner = bytes([kind]) + wire.digits(content)
    headers.append(bytes([wire.FIRST]) + wire.digits(len(inner) + content) + inner
                   + numbers)
  return _Feature(column, size, dtype, num_bytes, tuple(headers))
