# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of files too large for memory, local or remote."""

import hashlib
import os

import tensorflow as tf

_BLOCK_BYTES = 2**20


def of_file(path):
  """SHA-256 of the contents of a file, in hexadecimal."""
  digest = hashlib.sha256()
  _add_contents(digest, path)
  return digest.hexdigest()


def of_tree(directory, names):
  """SHA-256 of files and folders of a directory: their names, sizes and contents.

  The same files in another directory have the same; the order of `names` is no matter.

  Args:
    directory: `gs://…` included.
    names: files, or folders with all that lies below them; what is not there is left
      out.
  """
  digest = hashlib.sha256()
  for path in sorted(files_below(directory, names)):
    size = tf.io.gfile.stat(path).length
    digest.update(f"{os.path.relpath(path, directory)}\0{size}\0".encode())
    _add_contents(digest, path)
  return digest.hexdigest()


def files_below(directory, names=("",)):
  """Yields the paths of files of a directory; by default of all, at any depth."""
  for name in names:
    path = os.path.join(directory, name)
    if tf.io.gfile.isdir(path):
      for folder, _, files in tf.io.gfile.walk(path):
        yield from (os.path.join(folder, file) for file in files)
    elif tf.io.gfile.exists(path):
      yield path


def _add_contents(digest, path):
  with tf.io.gfile.GFile(path, "rb") as file:
    while block := file.read(_BLOCK_BYTES):
      digest.update(block)
