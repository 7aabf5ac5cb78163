# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Files and raw records: patterns, interleaved reading, and the name of what is bad.

Every record travels with its file and its number in that file (counting from 0), so
that an error found at any later stage can name both. The bytes read of each file are
added up and compared with its size at its end: TensorFlow names no file when a record
is corrupt, and takes a file that is cut inside a record header for complete.
"""

import collections
import contextlib
import re
import threading

import tensorflow as tf
from absl import logging

from yt8m.core.files import is_remote

# Records are read and counted in groups, to pay for one function call a group. Larger
# groups of frame-level records (270 kB each) would leave the processor's cache.
GROUP_SIZE = 8

# On disk a record has its length (8 bytes), the checksum of that (4), and after the
# data the checksum of the data (4).
_HEADER_BYTES = 12
_FRAMING_BYTES = 16

_REMEDY = ("Copy the file again, or pass --skip_corrupt_records to go on without the "
           "rest of it.")


class RecordError(ValueError):
  """A record that cannot be used; the message names file, record and remedy."""


# Our own checks and those of TensorFlow's parser, in the midst of op names.
_FAULT = re.compile(
    r"(?:assertion failed: \[(.*)\]"
    r"|((?:Name|Invalid protocol message input, example id): .*))\s+\[\[", re.DOTALL)


@contextlib.contextmanager
def clear_errors():
  """Turns the `tf.data` error of a bad record into a `RecordError`: its message alone."""
  try:
    yield
  except tf.errors.InvalidArgumentError as error:
    fault = _FAULT.search(error.message)
    if not fault:
      raise
    raise RecordError(re.sub(r"\\(['\"])", r"\1", fault[1] or fault[2])) from error


class Incidents:
  """Counts what was left out or repaired while reading, and logs the first of each kind.

  Attributes:
    counts: occurrences of each kind, over all epochs read so far.
  """
  LOGGED = 10

  def __init__(self):
    self.counts = collections.Counter()
    self._lock = threading.Lock()

  def add(self, kind, message):
    with self._lock:
      self.counts[kind] += 1
      count = self.counts[kind]
    if count <= self.LOGGED or count % 1000 == 0:
      logging.warning("%s [%s: %d so far]", message, kind, count)


def match_files(pattern, flag="the data pattern"):
  """Returns the sorted files matching a comma-separated list of globs.

  Args:
    pattern: e.g. `"train*.tfrecord,gs://bucket/more*.tfrecord"`.
    flag: what to call the pattern in errors, e.g. `"--train_data_pattern"`.

  Raises:
    ValueError: the list is empty, or one of its globs matches no file.
  """
  globs = [glob.strip() for glob in pattern.split(",") if glob.strip()]
  if not globs:
    raise ValueError(f"{flag} is empty: give a glob such as 'data/train*.tfrecord'.")
  files = set()
  for glob in globs:
    matches = tf.io.gfile.glob(glob)
    if not matches:
      raise ValueError(f"No file matches {glob!r} ({flag}).")
    if tf.io.gfile.isdir(glob):
      raise ValueError(f"{glob!r} is a directory ({flag}): write '{glob}/*.tfrecord'.")
    files.update(matches)
  return sorted(files)


def read(files, num_readers=8, record_bytes=0, shard=None, max_per_file=None,
         deterministic=True, skip_corrupt_records=False, incidents=None, remote=None):
  """Reads files interleaved, `num_readers` at a time.

  Args:
    files: paths, read in this order; a list, or a `(num_files,)` tensor.
    num_readers: files open at the same time; 1 reads one file after the other.
    record_bytes: expected size of a record; large local records are read unbuffered.
    shard: `(number, index)` keeps every `number`-th record of each file.
    max_per_file: reads only the first records of each file, and leaves the rest of it
      unchecked.
    deterministic: the same order every time, at some cost in speed.
    skip_corrupt_records: a damaged file is left at its first bad record (what follows
      in that file is lost), logged and counted, instead of raising an error.
    incidents: an `Incidents` that counts damaged files.
    remote: whether a file is remote; if None it is read off the paths, which must be a
      list then.

  Returns:
    A dataset of `(record, index in files, number in that file)`; the last two int64.
  """
  incidents = incidents or Incidents()
  if remote is None:
    remote = any(is_remote(path) for path in files)
  # A buffer is worth its copy only where it saves reads.
  buffered = record_bytes < 2**16 or remote
  buffer_size = None if buffered else 0

  def damage(path, count, offset):
    fault = _describe_damage(path.decode(), int(count), int(offset))
    if fault and skip_corrupt_records:
      incidents.add("damaged files", f"{fault} The rest of the file is left out.")
      return b""
    return f"{fault} {_REMEDY}".encode() if fault else b""

  def account(path, file_index):
    @tf.autograph.experimental.do_not_convert
    def step(state, group):
      count, offset = state
      size = tf.size(group, tf.int64)
      read_bytes = tf.reduce_sum(tf.cast(tf.strings.length(group), tf.int64))

      def end_of_file():
        message = tf.numpy_function(
            damage, [path, count, offset], tf.string, stateful=False)
        return tf.debugging.Assert(tf.equal(message, ""), [message])

      with tf.control_dependencies([tf.cond(size > 0, tf.no_op, end_of_file)]):
        state = (count + size, offset + read_bytes + _FRAMING_BYTES * size)
      return state, (group, tf.fill([size], file_index), count + tf.range(size))
    return step

  # There is no Python control flow to convert, and looking for it takes seconds.
  @tf.autograph.experimental.do_not_convert
  def read_file(path, file_index):
    groups = tf.data.TFRecordDataset(path, buffer_size=buffer_size)
    # What `ignore_errors` hides is found again by `account` at the end of the file,
    # which an empty group marks.
    groups = groups.ignore_errors().batch(GROUP_SIZE)
    groups = groups.concatenate(tf.data.Dataset.from_tensors(tf.zeros([0], tf.string)))
    zero = tf.zeros([], tf.int64)
    records = groups.scan((zero, zero), account(path, file_index)).unbatch()
    if shard:
      records = records.shard(*shard)
    return records if max_per_file is None else records.take(max_per_file)

  files = tf.convert_to_tensor(files)
  paths = tf.data.Dataset.from_tensor_slices(
      (files, tf.range(files.shape[0], dtype=tf.int64)))
  return paths.interleave(
      read_file, cycle_length=min(num_readers, files.shape[0]),
      num_parallel_calls=tf.data.AUTOTUNE, deterministic=deterministic)


def _describe_damage(path, count, offset):
  """Returns why a file does not end after `count` records and `offset` bytes, or ''."""
  size = tf.io.gfile.stat(path).length
  if offset == size:
    return ""
  left = size - offset
  with tf.io.gfile.GFile(path, "rb") as file:
    file.seek(offset)
    length = int.from_bytes(file.read(8), "little")
  if left < _HEADER_BYTES or left < length + _FRAMING_BYTES:
    cause = f"is cut off or corrupt: {left} bytes are left for it at byte {offset}"
    if count == 0:
      cause += ", or this is not a TFRecord file"
  else:
    cause = f"is corrupt or unreadable: its checksum fails at byte {offset}"
  return f"{path}, record {count} {cause}."
