# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of files too large for memory, local or remote."""

import hashlib
import os
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from yt8m.core import files

_BLOCK_BYTES = 2**20
_END_BYTES = 2**14


def of_file(path: str, *others: Any) -> str:
  """Returns the SHA-256 of the contents of a file, in hexadecimal.

  Args:
    path: Path of the file.
    *others: Digests of `hashlib` that the contents are added to as well, so that the
      file is read once.
  """
  digests = hashlib.sha256(), *others
  with files.open_to_read(path, "rb") as file:
    while block := file.read(_BLOCK_BYTES):
      for digest in digests:
        digest.update(block)
  return digests[0].hexdigest()


def of_ends(path: str) -> str:
  """Returns a digest that tells a file from another of its name, without a full read.

  It is that of the size and of the first and the last 16 KiB, and stays the same when a
  file is copied. If the file cannot be read, it is that of the size.

  Args:
    path: Path of the file, local or remote.
  """
  size = tf.io.gfile.stat(path).length
  digest = hashlib.sha256(header("", size))
  try:
    with files.open_to_read(path, "rb") as file:
      digest.update(file.read(_END_BYTES))
      if size > _END_BYTES:
        file.seek(max(_END_BYTES, size - _END_BYTES))
        digest.update(file.read(_END_BYTES))
  except (OSError, tf.errors.OpError):
    pass
  return digest.hexdigest()[:16]


def of_tree(directory: str, names: Iterable[str]) -> str:
  """Returns the SHA-256 of files and folders: of their names, sizes and contents.

  It depends neither on where the directory is nor on the order of `names`.

  Args:
    directory: Path of the directory, `gs://…` included.
    names: Files, or folders with everything below them; those that do not exist are
      left out.
  """
  digest = hashlib.sha256()
  for path in sorted(files.files_below(directory, names)):
    digest.update(header(os.path.relpath(path, directory),
                         tf.io.gfile.stat(path).length))
    of_file(path, digest)
  return digest.hexdigest()


def header(name: str, num_bytes: int) -> bytes:
  """Returns what `of_tree` adds before the contents of a file."""
  return f"{name}\0{num_bytes}\0".encode()
