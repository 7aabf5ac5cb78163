# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Files, local and remote: read with clear errors, written whole or not at all."""

import contextlib
import errno
import json
import os
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from yt8m.core import fields
from yt8m.core import temporaries
from yt8m.core.types import PathLike

if TYPE_CHECKING:
  import tensorflow as tf
else:
  from yt8m.core.lazy import tensorflow as tf

# The disk is full, the quota of the user is, or the file system has no larger files.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_remote(path: PathLike) -> bool:
  """Returns whether a path belongs to a file system of TensorFlow (`gs://…`).

  Raises:
    ValueError: It is a local path, written as `file://…`: no check of local files would
      hold for it.
  """
  path = os.fspath(path)
  if re.match("file:/", path, re.IGNORECASE):
    raise ValueError(f"{path}: write the path of a local file without file://.")
  return "://" in path


def exists(path: PathLike) -> bool:
  """Returns whether there is a file or directory at a path, local or remote."""
  return tf.io.gfile.exists(path) if is_remote(path) else os.path.exists(path)


def is_dir(path: PathLike) -> bool:
  """Returns whether there is a directory at a path, local or remote."""
  return tf.io.gfile.isdir(path) if is_remote(path) else os.path.isdir(path)


def open_to_read(path: PathLike, mode: str = "r") -> "tf.io.gfile.GFile":
  """Opens a file, local or remote, for reading.

  Raises:
    FileNotFoundError: There is no file at `path`. (TensorFlow would raise an error of
      its own, and only at the first read.)
    OSError: There is a pipe or a device (`check_regular`).
  """
  path = os.fspath(path)
  if not exists(path) or is_dir(path):
    raise FileNotFoundError(errno.ENOENT, "No such file", path)
  check_regular(path)
  return tf.io.gfile.GFile(path, mode)


def check_regular(path: PathLike) -> None:
  """Refuses to read a local pipe, socket or device, which may be waited for for ever.

  Raises:
    OSError: There is something at `path` that is neither a file nor a directory.
  """
  if not is_remote(path) and os.path.exists(path) and not (
      os.path.isfile(path) or os.path.isdir(path)):
    raise OSError(f"Cannot read {path}: it is a pipe, a socket or a device. Copy its "
                  "content to a file.")


@contextlib.contextmanager
def atomic_path(
    path: PathLike, before_rename: Callable[[str], Any] = lambda temporary: None
    ) -> Iterator[str]:
  """Yields the path of a file that becomes `path` if the block ends without an error.

  It is a temporary file beside `path`, which is renamed at the end. If the block raises
  an error, it is removed and `path` stays as it was. What killed processes left of the
  same `path` is removed first. A directory that cannot be written to is noticed before
  the block runs.

  Args:
    path: Path of the file, local or remote (`gs://…`). A symbolic link is followed: the
      file that it points to is replaced.
    before_rename: Function that is called with the path of the complete temporary file.

  Raises:
    OSError: `path` cannot be written. Local errors name `path`, not the temporary file;
      if the disk is full, they say after how many bytes.
  """
  path = os.fspath(path)
  if is_remote(path):
    temporary = temporaries.name(path)
    try:
      yield temporary
      before_rename(temporary)
      tf.io.gfile.rename(temporary, path, overwrite=True)
    except BaseException:
      with contextlib.suppress(OSError, tf.errors.OpError):
        tf.io.gfile.remove(temporary)
      raise
    return
  path = os.path.realpath(path)
  check_replaceable(path)
  with temporaries.file(path) as temporary:
    try:
      with clear_disk_errors(path, temporary):
        yield temporary
        before_rename(temporary)
        sync(temporary)
      os.replace(temporary, path)
      sync(os.path.dirname(path))
    except BaseException:
      with contextlib.suppress(OSError):
        os.remove(temporary)
      raise


@contextlib.contextmanager
def atomic_write(
    path: PathLike, mode: str = "w",
    before_rename: Callable[[str], Any] = lambda temporary: None) -> Iterator[Any]:
  """Yields an open file that becomes `path` if the block ends without an error.

  Args:
    path: Path of the file, as for `atomic_path`, which says what happens to it.
    mode: `"w"` for text in UTF-8, or `"wb"`.
    before_rename: Function that is called with the path of the complete temporary file.

  Raises:
    OSError: `path` cannot be written.
  """
  if mode not in ("w", "wb"):
    raise ValueError(f"atomic_write writes whole files: mode 'w' or 'wb', not {mode!r}.")
  with atomic_path(path, before_rename) as temporary:
    with (_open_remote if is_remote(path) else _open)(temporary, mode) as file:
      yield file


def check_replaceable(path: PathLike) -> None:
  """Raises OSError if there is something at a local path that is not a regular file."""
  # Renaming a file onto a device such as /dev/null would replace it for everyone.
  if os.path.exists(path) and not os.path.isfile(path):
    raise OSError(f"Cannot write {path}: it exists and is not a regular file.")


def sync(path: str) -> None:
  """Makes sure that a local file, or the list of files of a directory, is stored.

  Raises:
    OSError: A file cannot be stored: some file systems report a full disk only now.
  """
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  except OSError as error:
    # Some file systems cannot store directories one by one.
    if error.errno != errno.EINVAL:
      raise
  finally:
    os.close(descriptor)


@contextlib.contextmanager
def clear_disk_errors(path: PathLike, written: str | None = None) -> Iterator[None]:
  """Turns errors of Python and TensorFlow about a full disk into one that names `path`.

  Args:
    path: Path of the output.
    written: Path of the local file or directory that the block writes to. Default:
      `path`.
  """
  try:
    yield
  except Exception as error:
    code = _disk_error(error)
    if code is None:
      raise
    num_bytes = 0
    with contextlib.suppress(Exception):
      num_bytes = bytes_on_disk(path if written is None else written)
    raise OSError(code, f"{os.strerror(code)} after {num_bytes:,} bytes; nothing "
                  "half-written is left behind", os.fspath(path)) from error


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
    IsADirectoryError: It is a directory.
    ValueError: The file does not hold JSON, or not one object, or `parse` failed.
  """
  path = os.fspath(path)
  if not exists(path):
    raise FileNotFoundError(f"{path} does not exist; expected {kind}. {remedy}.")
  if is_dir(path):
    raise IsADirectoryError(f"{path} is a directory, not {kind}. {remedy}.")
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
    path = os.path.join(directory, name) if name else os.fspath(directory)
    if is_dir(path):
      walk = tf.io.gfile.walk if is_remote(path) else os.walk
      for folder, _, contents in walk(path):
        yield from (os.path.join(folder, file) for file in contents)
    elif exists(path):
      yield path


def bytes_on_disk(directory: PathLike) -> int:
  """Returns the number of bytes of all files below a directory."""
  size = ((lambda path: tf.io.gfile.stat(path).length) if is_remote(directory)
          else os.path.getsize)
  return sum(map(size, files_below(directory)))


def _disk_error(error: Exception) -> int | None:
  """Returns the number of an error that means that the disk is full, otherwise None."""
  if isinstance(error, OSError):
    return error.errno if error.errno in _DISK_ERRORS else None
  # TensorFlow, which must not be imported while a disk is full, only quotes the system.
  text = str(error) if type(error).__module__.startswith("tensorflow.") else ""
  return next((code for code in _DISK_ERRORS if os.strerror(code) in text), None)


def _open(temporary, mode):
  if mode == "wb":
    return open(temporary, "wb")
  return open(temporary, "w", encoding="utf-8", newline="\n")


def _open_remote(temporary, mode):
  file = tf.io.gfile.GFile(temporary, mode)
  # A GFile does not exist before its first write.
  file.write(b"" if mode == "wb" else "")
  return file
