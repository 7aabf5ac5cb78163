# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Files, local and remote: read with clear errors, written whole or not at all."""

import contextlib
import errno
import io
import json
import os
import uuid
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from yt8m.core import fields
from yt8m.core.types import PathLike


def is_remote(path: PathLike) -> bool:
  """Returns whether a path belongs to a file system of TensorFlow (`gs://…`)."""
  return "://" in os.fspath(path)


def open_to_read(path: PathLike, mode: str = "r") -> tf.io.gfile.GFile:
  """Opens a file, local or remote, for reading.

  Raises:
    FileNotFoundError: There is no file at `path`. (TensorFlow would raise an error of
      its own, and only at the first read.)
  """
  path = os.fspath(path)
  if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
    raise FileNotFoundError(errno.ENOENT, "No such file", path)
  return tf.io.gfile.GFile(path, mode)


@contextlib.contextmanager
def atomic_write(path: PathLike, mode: str = "w") -> Iterator[Any]:
  """Yields a file that becomes `path` if the block ends without an error.

  The block writes to a temporary file beside `path`, which is renamed at the end. If the
  block raises an error, the temporary file is removed and `path` stays as it was. A
  directory that cannot be written to is noticed before the block runs.

  Args:
    path: Path of the file, local or remote (`gs://…`). A symbolic link is followed: the
      file that it points to is replaced.
    mode: `"w"` for text in UTF-8, or `"wb"`.

  Raises:
    OSError: `path` cannot be written. Local errors name `path`, not the temporary file;
      if the disk is full, they say after how many bytes.
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
        # Some file systems report a full disk only when they have to store the data.
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


def read_json(path: PathLike, *, kind: str, remedy: str,
              parse: Callable[[dict[str, Any]], Any] = dict) -> Any:
  """Reads a JSON object from a file, local or remote.

  Args:
    path: Path of the file.
    kind: Description of the file in errors, e.g. `"a manifest that yt8m-export wrote"`.
    remedy: Imperative sentence for the errors, without the full stop.
    parse: Function that turns the object into the result. Its errors of `fields.UNFIT`
      mean that the file is not of this kind.

  Returns:
    The result of `parse`; by default the object as a dictionary.

  Raises:
    FileNotFoundError: There is no such file.
    ValueError: The file does not hold JSON, or not one object, or `parse` failed.
  """
  path = os.fspath(path)
  if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
    raise FileNotFoundError(f"{path} does not exist; expected {kind}. {remedy}.")
  with open_to_read(path) as file:
    try:
      content = json.loads(file.read())
      if not isinstance(content, dict):
        raise TypeError(f"it holds a JSON {type(content).__name__}, not an object")
      return parse(content)
    except fields.UNFIT as error:
      raise ValueError(
          f"{path} is not {kind} ({fields.reason(error)}). {remedy}.") from error


def write_json(path: PathLike, content: Any, *, indent: int | None = 2,
               sort_keys: bool = False) -> None:
  """Writes JSON to a file, which is there whole or not at all (`atomic_write`)."""
  text = json.dumps(content, indent=indent, sort_keys=sort_keys)
  with atomic_write(path) as file:
    file.write(f"{text}\n")


def files_below(directory: PathLike, names: Iterable[str] = ("",)) -> Iterator[str]:
  """Yields the paths of the files of a directory, at any depth.

  Args:
    directory: Path of the directory, local or remote.
    names: Files, or folders with everything below them. Those that do not exist are left
      out. Default: the whole directory.
  """
  for name in names:
    path = os.path.join(directory, name)
    if tf.io.gfile.isdir(path):
      for folder, _, contents in tf.io.gfile.walk(path):
        yield from (os.path.join(folder, file) for file in contents)
    elif tf.io.gfile.exists(path):
      yield path


def bytes_on_disk(directory: PathLike) -> int:
  """Returns the number of bytes of all files below a directory."""
  return sum(tf.io.gfile.stat(path).length for path in files_below(directory))


def _open(temporary, path, mode):
  # Renaming a file onto a device such as /dev/null would replace it for everyone.
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
  # A GFile does not exist before its first write.
  file.write(b"" if mode == "wb" else "")
  return file


class _NamedFile(io.FileIO):
  """A raw file whose errors name the final path and how many bytes were written."""

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
