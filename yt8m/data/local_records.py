# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The records of local files that are not compressed: which come when, and reading them.

Such files are indexed, a window of a few files at a time, and the order is computed on
the index. So leaving out records, sharing them and shuffling cost next to nothing, and a
batch is read from its files in one call.
"""

import dataclasses
import itertools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.data import bad_records
from yt8m.data import framing
from yt8m.data import locators
from yt8m.data import records

# Batches that are read at the same time. More would wait for each other: Python runs one
# at a time, except while it copies and reads.
PARALLEL = 2
# Records of a window in order, so that many small files do not take a call each.
IN_ORDER = 2048


@dataclasses.dataclass(frozen=True)
class LocalRecords:
  """Records of local files that are not compressed, in the order of an epoch.

  In order, one file comes after the other. Shuffled, the files are permuted; the first of
  them, as many as it takes to have `window_records` records and `window_files` files, are
  a window, the next a second one, and so on; the records of each window are permuted.

  Attributes:
    files: Paths: a list, or a (num_files,) string tensor.
    seed: Seed by which the records are shuffled; None keeps their order.
    epoch: Number of the epoch, which the order depends on. None: each iteration of a
      dataset is another epoch, from 0 on.
    window_records: Least number of records of a window, but for the last one.
    window_files: Least number of files of a window, but for the last one.
    shard: `(number, index)`, which keeps every `number`-th record of each file.
    skip_corrupt_records: Whether the rest of a damaged file is logged, counted and left
      out instead of raising an error. Every record is read twice then.
    incidents: `Incidents` in which damaged and empty files are counted.
    deterministic: Whether the order of batches is the same every time.
    skipped: Number of records at the start that are left out.
  """
  files: Any
  seed: int | None = None
  epoch: int | None = 0
  window_records: int = IN_ORDER
  window_files: int = 1
  shard: tuple[int, int] | None = None
  skip_corrupt_records: bool = False
  incidents: records.Incidents = dataclasses.field(default_factory=records.Incidents)
  deterministic: bool = True
  skipped: int = 0

  def skip(self, count: int) -> "LocalRecords":
    """Leaves out the first records."""
    return dataclasses.replace(self, skipped=self.skipped + count)

  def batch(self, batch_size: int, drop_remainder: bool = False) -> tf.data.Dataset:
    """Returns a dataset of the `locators` of batches, (batch_size, 4) int64."""
    if self.epoch is None:
      iterations = itertools.count()
      epochs = tf.data.Dataset.range(1).map(lambda _: tf.ensure_shape(tf.numpy_function(
          lambda: np.int64(next(iterations)), [], tf.int64), []))
    else:
      epochs = tf.data.Dataset.from_tensors(tf.constant(self.epoch, tf.int64))
    windows = epochs.flat_map(self._windows).prefetch(1)
    return bad_records.drop_first(windows, self.skipped).rebatch(
        batch_size, drop_remainder)

  def map(self, batches: tf.data.Dataset, function: Callable[..., Any],
          num_parallel_calls: int = PARALLEL) -> tf.data.Dataset:
    """Maps a function of locators, which may call `read`, over what `batch` returns."""
    return batches.map(tf.autograph.experimental.do_not_convert(function),
                       num_parallel_calls=num_parallel_calls,
                       deterministic=self.deterministic)

  def read(self, read: Callable[..., Any], types: Any, batch: tf.Tensor) -> Any:
    """Calls a Python function that reads records, as an op.

    Args:
      read: Function of the paths of the files and of locators that returns a list of
        arrays. A `locators.DamagedError` becomes an error of the dataset.
      types: Types of the arrays.
      batch: Locators, (batch_size, 4) int64.

    Returns:
      The arrays as tensors, a list.
    """
    empty = [np.zeros([0], tf.as_dtype(dtype).as_numpy_dtype) for dtype in types]

    def call(batch, *files):
      try:
        return [b"", *read(self._paths(files), batch)]
      except locators.DamagedError as error:
        return [f"{error} {records.REMEDY}".encode(), *empty]

    fault, *arrays = tf.numpy_function(
        call, [batch, *self._tensors()], [tf.string, *types], stateful=False)
    with tf.control_dependencies([_no(fault)]):
      return tf.nest.map_structure(tf.identity, arrays)

  def strings(self, batches: tf.data.Dataset) -> tf.data.Dataset:
    """Returns batches of locators as batches of what `records.read` returns."""
    read = self.strings_reader()
    return self.map(batches, lambda batch: (read(batch), batch[:, 0], batch[:, 3]))

  def map_named(self, batches: tf.data.Dataset, function: Callable[..., Any]
                ) -> tf.data.Dataset:
    """Maps a function over batches of locators as `records.map_named` does."""
    read = self.strings_reader()
    return self.map(batches, lambda batch: function(read(batch), self.names(batch)))

  def names(self, batch: tf.Tensor) -> tf.Tensor:
    """Returns the names in errors of a batch of locators, (batch_size,) string."""
    return records.with_names(self.files, batch, batch[:, 0], batch[:, 3])[1]

  def strings_reader(self) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function from locators to their records, (batch_size,) string."""
    memories = locators.Memories()

    def read(paths, batch):
      with memories.borrow() as memory:
        return [locators.read_strings(paths, batch, memory)]

    return lambda batch: tf.ensure_shape(
        self.read(read, [tf.string], batch)[0], batch.shape[:1])

  def _tensors(self):
    return [self.files] if isinstance(self.files, tf.Tensor) else []

  def _paths(self, files):
    return [path.decode() for path in files[0]] if files else self.files

  def _windows(self, epoch):
    """Returns a dataset of the locators of windows, (num_records, 4) int64."""
    num_files = len(self.files) if isinstance(self.files, list) else self.files.shape[0]

    @tf.autograph.experimental.do_not_convert
    def step(state, _):
      first, fault = state
      with tf.control_dependencies([_no(fault)]):
        first = tf.identity(first)
      first, fault, window = tf.numpy_function(
          lambda first, epoch, *files: self._window(
              self._paths(files), int(first), int(epoch)),
          [first, epoch, *self._tensors()], [tf.int64, tf.string, tf.int64],
          stateful=False)
      return ((tf.ensure_shape(first, []), tf.ensure_shape(fault, [])),
              tf.ensure_shape(window, [None, 4]))

    # A fault is raised after the records before it. So there may be one step more.
    return tf.data.Dataset.range(num_files + 1).scan(
        (tf.zeros([], tf.int64), tf.constant("")), step)

  def _window(self, paths, first, epoch):
    """Returns where the next window begins, the fault at the end of this, and this."""
    order = np.arange(len(paths))
    if self.seed is not None:
      order = np.random.default_rng([self.seed, epoch]).permutation(len(paths))
    parts, count, fault, position = [np.zeros((0, 4), np.int64)], 0, "", first
    while position < len(paths) and not fault and (
        count < self.window_records or position - first < self.window_files):
      index = int(order[position])
      part, fault = self._index(paths[index], index)
      if self.shard:
        number, own = self.shard
        part = part[own::number]
      parts.append(part)
      count, position = count + len(part), position + 1
    window = np.concatenate(parts)
    if self.seed is not None:
      shuffle = np.random.default_rng([self.seed, epoch, first])
      window = window[shuffle.permutation(len(window))]
    return np.int64(position), fault.encode(), window

  def _index(self, path, index):
    """Returns the locators of a file, and the fault after these."""
    found = framing.inspect(path)
    if not found.is_readable:
      return np.zeros((0, 4), np.int64), f"{found.damage} {records.UNREADABLE_REMEDY}"
    if found.offsets is None:
      return np.zeros((0, 4), np.int64), (
          f"{path} was changed while it was read: it is compressed now. "
          f"{records.UNREADABLE_REMEDY}")
    damage, offsets = found.damage, found.offsets
    if self.skip_corrupt_records:
      status = os.stat(path)
      count = locators.count_good(path, status.st_size, status.st_mtime_ns)
      if count < len(offsets) - 1:
        damage = (f"{path}, record {count} {records.BAD_CHECKSUM} at byte "
                  f"{offsets[count]}.")
        offsets = offsets[:count + 1]
    if len(offsets) == 1 and not damage:
      self.incidents.add("empty files", f"{path} has no records.")
    if damage and self.skip_corrupt_records:
      self.incidents.add("damaged files", f"{damage} The rest of the file is left out.")
      damage = ""
    return locators.of_file(index, offsets), records.with_remedy(damage)


def _no(fault):
  """Returns an op that raises an error if there is a fault."""
  return tf.debugging.Assert(tf.equal(fault, ""), [fault])
