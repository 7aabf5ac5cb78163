# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Leaves out single bad records: `--skip_bad_records`.

A batch is parsed as if all its records were good. Only if that fails, Python looks for
the bad ones, which are reported, and the batch is parsed again with empty space in their
place: rows whose name and content are empty. The readers leave such rows out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.data import diagnosis
from yt8m.data import records

# Batches that are parsed at the same time.
_PARALLEL = 4
_UNKNOWN = diagnosis.Fault(
    "other faults", "cannot be parsed, although it is a protocol buffer.")

# Function of records and their names, both (batch_size,) string.
Parse = Callable[[tf.Tensor, tf.Tensor], Any]


def map_skipping(dataset: tf.data.Dataset, parse: Parse, files: Any,
                 deterministic: bool | None = None, *, check: Parse,
                 explain: diagnosis.Explain, incidents: records.Incidents
                 ) -> tf.data.Dataset:
  """Maps a function over batches of `records.read(files)`, like `records.map_named`.

  Args:
    dataset: Batches of what `records.read` returns.
    parse: Function to map. Rows without a name must be no error.
    files: Paths that were given to `records.read`.
    deterministic: Whether the order of the batches is kept.
    check: Function that fails if `parse` does, and has no other effect.
    explain: Function from a record to its fault.
    incidents: `Incidents` in which the records that are left out are counted.
  """
  def find(serialized, names):
    good = np.ones(len(names), bool)
    # Not as a compiled function: it would wait for the threads that wait for it here.
    with tf.device("CPU:0"):
      for row in _failing(check, serialized, names, np.flatnonzero(names != b"")):
        fault = diagnosis.examine(serialized[row], explain) or _UNKNOWN
        incidents.add(*fault.left_out(names[row].decode(errors="replace")))
        good[row] = False
    return good

  def parse_good(serialized, names):
    good = tf.ensure_shape(tf.numpy_function(
        find, [serialized, names], tf.bool, stateful=False), names.shape)
    return parse(tf.where(good, serialized, ""), tf.where(good, names, ""))

  @tf.autograph.experimental.do_not_convert
  def parse_if_possible(*batch):
    named = tf.data.Dataset.from_tensors(records.with_names(files, *batch))
    return named.map(parse).ignore_errors().concatenate(named.map(parse_good)).take(1)

  return dataset.interleave(
      parse_if_possible, cycle_length=_PARALLEL, num_parallel_calls=tf.data.AUTOTUNE,
      deterministic=deterministic)


def keep_rows(rows: Any, keep: tf.Tensor) -> Any:
  """Returns a nest of tensors without the rows where `keep` is False."""
  def kept():
    places = tf.where(keep)[:, 0]
    return tf.nest.map_structure(lambda x: tf.gather(x, places), rows)
  return tf.cond(tf.reduce_all(keep), lambda: rows, kept)


def drop_first(dataset: tf.data.Dataset, count: int) -> tf.data.Dataset:
  """Leaves out the first `count` rows of batches, which become smaller or empty."""
  if not count:
    return dataset

  @tf.autograph.experimental.do_not_convert
  def drop(left, batch):
    dropped = tf.minimum(left, tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0])
    return left - dropped, tf.nest.map_structure(lambda x: x[dropped:], batch)

  return dataset.scan(tf.constant(count, tf.int64), drop)


def _failing(check, serialized, names, rows):
  """Returns which of `rows` fail, by halving them as long as they do."""
  try:
    check(tf.constant(serialized[rows]), tf.constant(names[rows]))
    return []
  except tf.errors.InvalidArgumentError:
    if len(rows) <= 1:
      return list(rows)
  middle = len(rows) // 2
  return (_failing(check, serialized, names, rows[:middle])
          + _failing(check, serialized, names, rows[middle:]))
