# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Record files: patterns, interleaved reading, and errors that name the bad record.

Every record comes with the index of its file and its number in that file, counting
from 0, so that an error at any later stage can name both. The records read from a file
are counted and compared with `framing.inspect`: TensorFlow names no file when a record is
corrupt, and takes a file that is cut inside a record header for complete. Files that are
compressed with gzip or zlib are recognised.
"""

import contextlib
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import files as files_lib
from yt8m.data import diagnosis
from yt8m.data import framing
from yt8m.data.incidents import Incidents as Incidents

# Records are read and counted in groups, so that one function call serves a group.
# Larger groups of frame-level records (270 kB each) would not fit the processor's cache.
GROUP_SIZE = 8
_SAMPLED = 64  # records whose sizes are read to estimate how many there are

REMEDY = ("Copy the file again or leave it out. Commands with --skip_corrupt_records "
           "can also continue without the rest of it.")
BARE_REMEDY = ("Write what such files hold as the records of a file, with "
                "tf.io.TFRecordWriter, or leave it out of the pattern.")
BAD_CHECKSUM = "is corrupt or unreadable: its checksum fails"
UNREADABLE_REMEDY = "Restore it, or leave it out of the pattern."


class RecordError(ValueError):
  """A record that cannot be used. The message names file, record and remedy."""


# The message of our own checks, among the names of ops.
_FAULT = re.compile(r"assertion failed: \[(.*)\]\s+\[\[", re.DOTALL)
# TensorFlow's parser, which names records as `with_names` does.
_UNPARSED = re.compile(
    r"(?:Name: |example id: |in example )((.*?), record (\d+)|record \d+ of the batch)")
# Its op: of some broken protocol buffers it says only in which feature they are. A reader
# of the user's own may parse with any other.
_PARSER = re.compile(r"ParseSequenceExample|Error in user-defined function")


@contextlib.contextmanager
def clear_errors(explain: diagnosis.Explain = lambda record: None,
                 files: Sequence[str] = ()) -> Iterator[None]:
  """Turns the `tf.data` error about a bad record into a `RecordError`.

  Args:
    explain: Function that explains a record that TensorFlow cannot parse.
    files: Paths that are searched for a bad record if TensorFlow names none.
  """
  try:
    yield
  except tf.errors.InvalidArgumentError as error:
    fault, unparsed = _FAULT.search(error.message), _UNPARSED.search(error.message)
    if fault:
      message = re.sub(r"\\(['\"])", r"\1", fault[1].rstrip())
    elif unparsed:
      message = f"{unparsed[1]} {_explain_unparsed(unparsed, explain)}"
    elif _PARSER.search(error.message):
      message = _first_bad(files, explain)
    else:
      raise
    raise RecordError(message) from error


def _explain_unparsed(match: re.Match[str], explain: diagnosis.Explain) -> str:
  fault = None
  if match[2]:
    # Without the graph of `read`, which takes 0.1 s to build.
    compression: Any = framing.inspect(match[2]).compression
    found: Any = tf.data.TFRecordDataset(match[2], compression)
    for serialized in found.skip(int(match[3])).take(1).as_numpy_iterator():
      fault = diagnosis.examine(serialized, explain)
  return fault.text if fault else (
      "cannot be parsed: it is no tf.train.Example or SequenceExample, or one of its "
      "values has another type than expected.")


def _first_bad(files: Sequence[str], explain: diagnosis.Explain) -> str:
  """Returns the name and the fault of the first bad record of files."""
  if files:
    logging.warning("A record cannot be parsed. Looking for it in %d files.", len(files))
    found = read(files, num_readers=1, skip_corrupt_records=True)
    for serialized, index, number in found.as_numpy_iterator():
      fault = diagnosis.examine(serialized, explain)
      if fault:
        return f"{files[index]}, record {number} {fault.text}"
  return ("A record cannot be parsed: its protocol buffer is broken. Commands with "
          "--skip_bad_records can go on without it.")


def estimate_count(files: Sequence[str]) -> int | None:
  """Estimates how many records files hold, from their bytes and a few records.

  The estimate is exact if all records have the same size. It is None if no record can be
  read, which is left to the reader to report.
  """
  total = sum(tf.io.gfile.stat(path).length for path in files)
  for path in files:
    count, num_bytes = framing.sample(path, _SAMPLED)
    if count:
      return round(total * count / num_bytes)
  return None


def read(files: Any, num_readers: int = 8, record_bytes: int = 0,
         shard: tuple[int, int] | None = None, *, max_per_file: int | None = None,
         shuffle_seed: int | None = None, deterministic: bool = True,
         skip_corrupt_records: bool = False, incidents: Incidents | None = None,
         remote: bool | None = None) -> tf.data.Dataset:
  """Reads files interleaved, `num_readers` at a time.

  Args:
    files: Paths, read in this order: a list, or a (num_files,) string tensor.
    num_readers: Number of files open at the same time; 1 reads file after file.
    record_bytes: Expected size of a record. Large local records are read unbuffered.
    shard: `(number, index)`, which keeps every `number`-th record of each file.
    max_per_file: Number of records to read from each file. The rest is not checked.
    shuffle_seed: Seed by which the files are shuffled, in another way in each iteration.
      None keeps their order.
    deterministic: Whether the order is the same every time, at some cost in speed.
    skip_corrupt_records: Whether the rest of a damaged file is logged, counted and left
      out instead of raising an error.
    incidents: `Incidents` in which damaged files are counted.
    remote: Whether a file is remote. None derives it from the paths, which must then be
      a list.

  Returns:
    A dataset of `(record, index in files, number in the file)`; the last two are int64.
  """
  incidents = incidents or Incidents()
  if remote is None:
    remote = any(files_lib.is_remote(path) for path in files)
  # A buffer is worth its copy only where it saves reads.
  buffer_size = None if record_bytes < 2**16 or remote else 0

  def inspect(path):
    found = framing.inspect(path.decode())
    error = "" if found.is_readable else f"{found.damage} {UNREADABLE_REMEDY}"
    return (np.int64(found.num_records), found.compression.encode(),
            found.damage.encode(), error.encode())

  def describe(path, count, offset, expected, compression, damage):
    path = path.decode()
    if expected < 0 and not compression:
      damage = _describe_damage(path, int(count), int(offset))
    elif count < expected:
      damage = f"{path}, record {count} {BAD_CHECKSUM} at byte {offset}."
    else:
      damage = damage.decode()
      if expected == 0 and not damage:
        incidents.add("empty files", f"{path} has no records.")
    if damage and skip_corrupt_records:
      incidents.add("damaged files", f"{damage} The rest of the file is left out.")
      return b""
    return with_remedy(damage).encode()

  def count_group(path, file_index, *found):
    @tf.autograph.experimental.do_not_convert
    def step(state, group):
      count, offset = state
      size = tf.size(group, tf.int64)
      group_bytes = tf.reduce_sum(tf.cast(tf.strings.length(group), tf.int64))

      def check_end_of_file():
        message = tf.numpy_function(
            describe, [path, count, offset, *found], tf.string, stateful=False)
        return tf.debugging.Assert(tf.equal(message, ""), [message])

      with tf.control_dependencies([tf.cond(size > 0, tf.no_op, check_end_of_file)]):
        state = (count + size, offset + group_bytes + framing.FRAMING_BYTES * size)
      return state, (group, tf.fill([size], file_index), count + tf.range(size))
    return step

  # There is no Python control flow to convert, and searching for it takes seconds.
  @tf.autograph.experimental.do_not_convert
  def read_file(path, file_index):
    expected, compression, damage, error = tf.numpy_function(
        inspect, [path], (tf.int64, tf.string, tf.string, tf.string), stateful=False)
    for tensor in (expected, compression, damage, error):
      tensor.set_shape([])
    with tf.control_dependencies([tf.debugging.Assert(tf.equal(error, ""), [error])]):
      expected = tf.identity(expected)
    groups = tf.data.TFRecordDataset(path, compression, buffer_size).take(expected)
    # `ignore_errors` hides damage, which `count_group` finds again at the end of the
    # file: an empty group marks it.
    groups = groups.ignore_errors().batch(GROUP_SIZE)
    groups = groups.concatenate(tf.data.Dataset.from_tensors(tf.zeros([0], tf.string)))
    zero = tf.zeros([], tf.int64)
    records = groups.scan((zero, zero), count_group(
        path, file_index, expected, compression, damage)).unbatch()
    if shard:
      records = records.shard(*shard)
    return records if max_per_file is None else records.take(max_per_file)

  files = tf.convert_to_tensor(files)
  num_files = int(files.shape[0])
  order: Any = tf.data.Dataset.from_tensor_slices(
      (files, tf.range(num_files, dtype=tf.int64)))
  if shuffle_seed is not None:
    order = order.shuffle(num_files, shuffle_seed, reshuffle_each_iteration=True)
  return order.interleave(
      read_file, cycle_length=min(num_readers, num_files),
      num_parallel_calls=tf.data.AUTOTUNE, deterministic=deterministic)


def with_remedy(damage: str) -> str:
  """Returns the damage of a file with what can be done about it; nothing for none."""
  remedy = BARE_REMEDY if framing.BARE_EXAMPLE in damage else REMEDY
  return f"{damage} {remedy}" if damage else ""


def map_named(dataset: tf.data.Dataset, function: Callable, files: Any,
              deterministic: bool | None = None) -> tf.data.Dataset:
  """Maps a function over batches of `read(files)`.

  Args:
    dataset: Batches of what `read` returns.
    function: Function of the records and their names in errors, both (batch_size,)
      string. A name is `"<file>, record <number>"`.
    files: Paths that were given to `read`.
    deterministic: Whether the order of the batches is kept. None: it is, unless the
      options of the dataset say otherwise.
  """
  @tf.autograph.experimental.do_not_convert
  def call(*batch):
    return function(*with_names(files, *batch))

  return dataset.map(
      call, num_parallel_calls=tf.data.AUTOTUNE, deterministic=deterministic)


def with_names(files: Any, serialized: tf.Tensor, file_index: tf.Tensor,
               record_number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
  """Returns a batch of `read(files)` as records and their names, `map_named`."""
  return serialized, tf.strings.join([
      tf.gather(tf.convert_to_tensor(files), file_index), ", record ",
      tf.strings.as_string(record_number)])


def _describe_damage(path: str, count: int, offset: int) -> str:
  """Returns why a file does not end after `count` records and `offset` bytes, or ''."""
  size = tf.io.gfile.stat(path).length
  if offset == size:
    return ""
  with tf.io.gfile.GFile(path, "rb") as file:
    file.seek(offset)
    length = int.from_bytes(file.read(8), "little")
  if size - offset < length + framing.FRAMING_BYTES:
    return framing.describe_cut(path, count, offset, size)
  return f"{path}, record {count} {BAD_CHECKSUM} at byte {offset}."
