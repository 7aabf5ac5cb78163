# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writing a file or a directory beside its place and renaming it: never half-written."""

import contextlib
import errno
import io
import os
import uuid

import tensorflow as tf


def is_remote(path):
  """Whether `path` belongs to a file system of TensorFlow's (`gs://…`, `ram://…`)."""
  return "://" in os.fspath(path)


def open_to_read(path, mode="r"):
  """Opens a file, local or remote, for reading.

  Raises:
    FileNotFoundError: there is no file at `path` (TensorFlow has its own errors, which
      come late: at the first read).
  """
  path = os.fspath(path)
  if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
    raise FileNotFoundError(errno.ENOENT, "No such file", path)
  return tf.io.gfile.GFile(path, mode)


@contextlib.contextmanager
def atomic_write(path, mode="w"):
  """Yields a file that becomes `path` when the block ends, and only if it ends well.

  What is written goes to a file beside `path`, which is renamed at the end. If the
  block raises, that file is removed and `path` stays as it was (or stays absent).
  An unwritable directory is noticed on entry, before anything is computed.

  Args:
    path: where the file shall be; `gs://` and the like go through `tf.io.gfile`.
      A symbolic link is followed: the file that it points to is replaced.
    mode: `"w"` (text, UTF-8) or `"wb"`.

  Raises:
    OSError: `path` cannot be written. Local errors name `path`, not the file beside
      it; if the disk filled up, they say after how many bytes.
  """
  if mode not in ("w", "wb"):
    raise ValueError(f"atomic_write writes whole files: mode 'w' or 'wb', not {mode!r}.")
  remote = is_remote(path)
  path = os.fspath(path) if remote else os.path.realpath(path)
  temporary = f"{path}.tmp{uuid.uuid4().hex[:8]}"
  file = _open_remote(temporary, mode) if remote else _open(temporary, path, mode)
  try:
    with file:
      yield file
      if not remote:
        # Some disks report that they are full only when the data must really be there.
        file.flush()
        os.fsync(file.fileno())
    if remote:
      tf.io.gfile.rename(temporary, path, overwrite=True)
    else:
      os.replace(temporary, path)
  except BaseException:
    with contextlib.suppress(OSError, tf.errors.OpError):
      tf.io.gfile.remove(temporary)
    raise


@contextlib.contextmanager
def atomic_directory(path, overwrite=False, remedy="give another one"):
  """Yields a new directory that becomes `path` when the block ends, if it ends well.

  If the block raises, what was written is removed and `path` stays as it was.

  Args:
    path: where the directory shall be; `gs://` and the like go through `tf.io.gfile`.
    overwrite: replaces what is there. An empty directory is replaced in any case.
    remedy: what the error about an existing directory advises.

  Raises:
    FileExistsError: `path` exists, and is to stay.
    OSError: the directory cannot be made.
  """
  path = os.fspath(path) if is_remote(path) else os.path.realpath(path)
  exists = tf.io.gfile.exists(path)
  if exists and not overwrite and (
      not tf.io.gfile.isdir(path) or tf.io.gfile.listdir(path)):
    raise FileExistsError(f"{path} exists and is not an empty directory: {remedy}.")
  temporary = f"{path}.tmp{uuid.uuid4().hex[:8]}"
  (tf.io.gfile.makedirs if is_remote(path) else os.makedirs)(temporary)
  try:
    yield temporary
    if exists:
      old = f"{temporary}.old"
      tf.io.gfile.rename(path, old)
      tf.io.gfile.rename(temporary, path)
      (tf.io.gfile.rmtree if tf.io.gfile.isdir(old) else tf.io.gfile.remove)(old)
    else:
      tf.io.gfile.rename(temporary, path)
  except BaseException:
    with contextlib.suppress(OSError, tf.errors.OpError):
      tf.io.gfile.rmtree(temporary)
    raise


def bytes_on_disk(directory):
  """Bytes of all files below a directory."""
  return sum(tf.io.gfile.stat(os.path.join(folder, name)).length
             for folder, _, names in tf.io.gfile.walk(directory) for name in names)


def _open(temporary, path, mode):
  # Renaming onto a device would remove it: /dev/null is everyone's.
  if os.path.exists(path) and not os.path.isfile(path):
    raise OSError(f"Cannot write {path}: it exists and is not a regular file.")
  try:
    file = io.BufferedWriter(_NamedFile(temporary, path))
  except OSError as error:
    raise OSError(
        error.errno, f"{error.strerror}: its directory must exist and be writable",
        path) from error
  if mode == "wb":
    return file
  return io.TextIOWrapper(file, encoding="utf-8", newline="\n")


def _open_remote(temporary, mode):
  file = tf.io.gfile.GFile(temporary, mode)
  # A GFile exists from its first write on.
  file.write(b"" if mode == "wb" else "")
  return file


class _NamedFile(io.FileIO):
  """A raw file whose failed writes name the final path and say how far they came."""

  def __init__(self, temporary, path):
    super().__init__(temporary, "x")
    self._path = path

  def write(self, data):
    try:
      return super().write(data)
    except OSError as error:
      raise OSError(
          error.errno, f"{error.strerror} after {self.tell():,} bytes; nothing "
          "half-written is left behind", self._path) from error
