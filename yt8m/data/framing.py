# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Checks the framing of a record file before TensorFlow reads it.

A record on disk is its length (8 bytes), the checksum of the length (4), the data, and
the checksum of the data (4). TensorFlow trusts a length whose checksum is right, and
crashes if there is not as much memory; it opens a file that is missing again and again if
errors are ignored. So the lengths of a local file are followed from record to record to
its end, without reading the data, once for each version of the file. Of a remote file
only the first length is checked: following it would fetch all its bytes twice. Files that
are compressed are decompressed once more, remote ones too, to see whether they are whole.
"""

import dataclasses
import functools
import os
import stat
import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from google.protobuf import message

from yt8m.core import files

HEADER_BYTES = 12
FRAMING_BYTES = 16  # of a record, besides its data
_BLOCK_BYTES = 2**20
# Damage that needs another remedy than a damaged file.
BARE_EXAMPLE = "is one serialized tf.train.SequenceExample, not a TFRecord file"
_MAGIC = {b"\x1f\x8b": "GZIP", b"\x78\x01": "ZLIB", b"\x78\x9c": "ZLIB",
          b"\x78\xda": "ZLIB"}
_LARGEST_EXAMPLE = 2**26  # bytes of a file that is tried as a single example


@dataclasses.dataclass(frozen=True)
class Framing:
  """What is known of a record file before it is read.

  Attributes:
    num_records: Number of records up to the end or the first damage; -1 if unknown.
    compression: `"GZIP"`, `"ZLIB"` or `""`, as `tf.data` names them.
    damage: Description of the damage after these records, with the path; or `""`.
    is_readable: Whether there is a file that can be opened.
    offsets: Where each of these records begins, and where the last one ends, (num_records
      + 1,) int64; None for a file that is compressed, remote or cannot be opened.
  """
  num_records: int
  compression: str = ""
  damage: str = ""
  is_readable: bool = True
  offsets: np.ndarray | None = dataclasses.field(
      default=None, compare=False, repr=False)


def inspect(path: str) -> Framing:
  """Returns the framing of a record file, local or remote."""
  try:
    if files.is_remote(path):
      return _inspect_remote(path)
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
      kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
      return Framing(0, damage=f"{path} cannot be read: it is {kind}.",
                     is_readable=False)
    with open(path, "rb"):  # A version that is known may have become unreadable.
      return _inspect_local(path, status.st_size, status.st_mtime_ns)
  except (OSError, tf.errors.OpError) as error:
    reason = (getattr(error, "strerror", None) or getattr(error, "message", None)
              or type(error).__name__)
    return Framing(0, damage=f"{path} cannot be read: {reason}.", is_readable=False)


def sample(path: str, limit: int) -> tuple[int, int]:
  """Returns a number of records of a file and the bytes that they take of it.

  Args:
    path: Path of the file.
    limit: Number of records to look at. A compressed file is counted as a whole.
  """
  if not files.is_remote(path) and os.path.isfile(path):
    with open(path, "rb") as file:
      size = os.fstat(file.fileno()).st_size
      if not _compression(file.read(HEADER_BYTES), size):
        offsets = _follow(file.fileno(), size, limit)
        return len(offsets) - 1, offsets[-1]
  framing = inspect(path)
  if framing.num_records >= 0:
    return framing.num_records, tf.io.gfile.stat(path).length
  dataset = tf.data.TFRecordDataset(path).take(limit).ignore_errors()
  sizes = [len(record) + FRAMING_BYTES for record in dataset.as_numpy_iterator()]
  return len(sizes), sum(sizes)


def is_plain(path: str) -> bool:
  """Returns whether a file is local and not compressed, or whether there is none."""
  if files.is_remote(path):
    return False
  try:
    if not stat.S_ISREG(os.stat(path).st_mode):
      return True
    with open(path, "rb", buffering=0) as file:
      return not _compression(file.read(HEADER_BYTES), os.fstat(file.fileno()).st_size)
  except OSError:
    return True


def _inspect_remote(path: str) -> Framing:
  with files.open_to_read(path, "rb") as file:
    header = file.read(HEADER_BYTES)
  status = tf.io.gfile.stat(path)
  if compression := _compression(header, status.length):
    return _inspect_compressed(path, compression, status.length, status.mtime_nsec)
  if not header:
    return Framing(0)
  length = int.from_bytes(header[:8], "little")
  if status.length < length + FRAMING_BYTES:
    return Framing(0, damage=describe_cut(path, 0, 0, status.length))
  return Framing(-1)


@functools.lru_cache(maxsize=100_000)
def _inspect_compressed(path: str, compression: str, size: int, modified: int) -> Framing:
  """Returns the framing of a version of a compressed file."""
  with files.open_to_read(path, "rb") as file:
    count, damage = _count_compressed(file)
  return Framing(count, compression, damage and f"{path}, record {count} {damage}.")


@functools.lru_cache(maxsize=100_000)
def _inspect_local(path: str, size: int, modified: int) -> Framing:
  """Returns the framing of a version of a local file."""
  with open(path, "rb") as file:
    if compression := _compression(file.read(HEADER_BYTES), size):
      return _inspect_compressed(path, compression, size, modified)
    if hasattr(os, "posix_fadvise"):  # The data are read next.
      os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
    offsets = np.array(_follow(file.fileno(), size), np.int64)
  count, offset, damage = len(offsets) - 1, int(offsets[-1]), ""
  if count == 0 and offset != size and _is_example(path, size):
    damage = f"{path} {BARE_EXAMPLE}."
  elif offset != size:
    damage = describe_cut(path, count, offset, size)
  return Framing(count, damage=damage, offsets=offsets)


def describe_cut(path: str, count: int, offset: int, size: int) -> str:
  """Returns that record `count`, at byte `offset`, does not fit into a file."""
  cause = f"is cut off or corrupt: {size - offset} bytes are left for it at byte {offset}"
  if count == 0:
    cause += ", or this is not a TFRecord file"
  return f"{path}, record {count} {cause}."


def _follow(descriptor: int, size: int, limit: int | None = None) -> list[int]:
  """Returns where the records that fit into a file begin, and where the last one ends."""
  offset, offsets = 0, [0]
  while len(offsets) - 1 != limit and size - offset >= FRAMING_BYTES:
    length = int.from_bytes(os.pread(descriptor, 8, offset), "little")
    if length > size - offset - FRAMING_BYTES:
      break
    offset += length + FRAMING_BYTES
    offsets.append(offset)
  return offsets


def _compression(header: bytes, size: int) -> str:
  """Returns how a file is compressed, by its first bytes."""
  # The first bytes of a plain file are a length, which is then larger than the file.
  if int.from_bytes(header[:8], "little") <= size - FRAMING_BYTES:
    return ""
  return _MAGIC.get(header[:2], "")


def _count_compressed(file) -> tuple[int, str]:
  """Returns the number of records of a compressed file, and what is damaged after."""
  count, header, left = 0, b"", 0  # bytes left of the record
  try:
    for block in _decompressed(file):
      position = 0
      while position < len(block):
        if not left:
          part = block[position:position + HEADER_BYTES - len(header)]
          header, position = header + part, position + len(part)
          if len(header) < HEADER_BYTES:
            break
          left = int.from_bytes(header[:8], "little") + FRAMING_BYTES - HEADER_BYTES
        step = min(left, len(block) - position)
        left, position = left - step, position + step
        if not left:
          count, header = count + 1, b""
  except (zlib.error, EOFError) as error:
    return count, f"cannot be decompressed ({error})"
  return count, "is cut off or corrupt" if header or left else ""


def _decompressed(file) -> Iterator[bytes]:
  decompressor = zlib.decompressobj(wbits=47)  # gzip or zlib, whichever it is
  while block := (decompressor.unconsumed_tail or decompressor.unused_data
                  or file.read(_BLOCK_BYTES)):
    if decompressor.eof:  # Files of gzip may be put one after another.
      decompressor = zlib.decompressobj(wbits=47)
    yield decompressor.decompress(block, _BLOCK_BYTES)
  if not decompressor.eof:
    raise EOFError("the file is cut off")


def _is_example(path: str, size: int) -> bool:
  """Whether a file is a single serialized example, without framing."""
  if not 0 < size <= _LARGEST_EXAMPLE:
    return False
  with open(path, "rb") as file:
    try:
      example = tf.train.SequenceExample.FromString(file.read())
    except message.DecodeError:
      return False
  return bool(example.context.feature or example.feature_lists.feature_list)
