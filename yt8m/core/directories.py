# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Directories that appear whole or not at all, and that replace only what is ours.

One rule holds for every command that replaces or deletes a directory. A path is free if
nothing is there, or an empty directory. Otherwise it must be a directory that has the
marker of what the command writes, and that holds nothing else than what the command
writes. A file is never replaced, and a symbolic link is never followed.
"""

import contextlib
import dataclasses
import fnmatch
import os
import shutil
import uuid
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

import tensorflow as tf

from yt8m.core import files
from yt8m.core.types import PathLike


@dataclasses.dataclass(frozen=True)
class Kind:
  """A kind of directory that a command writes, and may therefore replace.

  Attributes:
    name: Name for error messages, such as `"sample data set"`.
    marker: File that every directory of this kind has.
    contents: Patterns of all files that such a directory may hold besides the marker,
      or a function from the directory to these patterns. A pattern is a path below the
      directory, in which `*` stands for any characters but a slash.
  """
  name: str
  marker: str
  contents: tuple[str, ...] | Callable[[str], Iterable[str]]

  def foreign_entries(self, directory: PathLike) -> list[str]:
    """Returns the files and folders of a directory that do not belong to this kind.

    A symbolic link never belongs, nor does a folder of which no pattern speaks.
    """
    directory = os.fspath(directory)
    contents = self.contents(directory) if callable(self.contents) else self.contents
    patterns = [pattern.split("/") for pattern in (self.marker, *contents)]
    walk = tf.io.gfile.walk if files.is_remote(directory) else os.walk
    foreign = []
    for folder, folders, names in walk(directory):
      for name in (*folders, *names):
        path = os.path.join(folder, name.rstrip("/"))
        parts = os.path.relpath(path, directory).split(os.sep)
        if os.path.islink(path) or not any(
            _matches(parts, pattern, name in folders) for pattern in patterns):
          foreign.append("/".join(parts))
    return sorted(foreign)


def checked_path(path: PathLike, flag: str) -> str:
  """Returns the path of a directory to be written, if it can be one.

  Args:
    path: Path of the directory; remote paths are returned as they are.
    flag: Flag that `path` comes from, for the errors.

  Raises:
    ValueError: `path` is empty.
    FileExistsError: `path` is a file or a symbolic link.
  """
  path = os.fspath(path)
  if not path:
    raise ValueError(f"{flag} is empty: name a directory. (Is a variable of the shell "
                     "not set?)")
  if not files.is_remote(path):
    if os.path.islink(path.rstrip(os.sep)):
      raise FileExistsError(f"{flag}={path} is a symbolic link, and links are not "
                            f"followed: name {os.path.realpath(path)} itself.")
    path = os.path.realpath(path)
  if tf.io.gfile.exists(path) and not tf.io.gfile.isdir(path):
    raise FileExistsError(f"{flag}={path} is a file: name a directory.")
  return path


def check_replaceable(path: PathLike, owned: Kind, flag: str) -> None:
  """Checks that a directory may be replaced or deleted: see the rule of this module.

  Args:
    path: Path of the directory.
    owned: Kind of directory that may be replaced.
    flag: Flag that `path` comes from, for the errors.

  Raises:
    ValueError: `path` is empty.
    FileExistsError: There is something at `path` that is not ours.
  """
  path = checked_path(path, flag)
  if not _is_filled(path):
    return
  if not tf.io.gfile.exists(os.path.join(path, owned.marker)):
    raise FileExistsError(
        f"{flag}={path} is not replaced: it has no {owned.marker}, so it is not a "
        f"{owned.name}. Name another directory, or delete this one yourself.")
  if foreign := owned.foreign_entries(path):
    raise FileExistsError(
        f"{flag}={path} is not replaced: it also holds {', '.join(foreign[:3])}"
        f"{', …' if len(foreign) > 3 else ''}, which no {owned.name} has. Move that "
        "away, or name another directory.")


@contextlib.contextmanager
def atomic_directory(path: PathLike, *, overwrite: bool = False,
                     owned: Kind | None = None, flag: str = "--output_dir",
                     remedy: str = "name another directory") -> Iterator[str]:
  """Yields a new directory that becomes `path` when the block ends, if it ends well.

  If the block raises, what was written is removed and `path` stays as it was.

  Args:
    path: Path of the directory; `gs://` and the like go through `tf.io.gfile`.
    overwrite: Whether a directory of the kind `owned` may be replaced. An empty
      directory is replaced in any case, and anything else in none.
    owned: Kind of the directory that is written.
    flag: Flag that `path` comes from, for the errors.
    remedy: Advice of the error about an existing directory.

  Raises:
    ValueError: `path` is empty.
    FileExistsError: There is something at `path` that must stay.
    OSError: The directory cannot be made.
  """
  def check() -> str:
    checked = checked_path(path, flag)
    if overwrite and owned:
      check_replaceable(checked, owned, flag)
    elif _is_filled(checked):
      raise FileExistsError(
          f"{flag}={checked} exists and is not an empty directory: {remedy}.")
    return checked

  final = check()
  parent, name = os.path.split(final)
  # Hidden: a pattern such as members/* must not match a directory that is half written.
  temporary = os.path.join(parent, f".{name}.tmp{uuid.uuid4().hex[:8]}")
  (tf.io.gfile.makedirs if files.is_remote(final) else os.makedirs)(temporary)
  try:
    yield temporary
    _sync(temporary)
    check()  # Once more: writing may have taken hours.
    if tf.io.gfile.exists(final):
      replaced = f"{temporary}.old"
      tf.io.gfile.rename(final, replaced)
      tf.io.gfile.rename(temporary, final)
      remove(replaced)
    else:
      tf.io.gfile.rename(temporary, final)
  except BaseException:
    with contextlib.suppress(OSError, tf.errors.OpError):
      remove(temporary)
    raise


def remove(directory: PathLike) -> None:
  """Removes a directory with all that it holds; what links point to stays."""
  # TensorFlow would delete the files behind a link.
  (tf.io.gfile if files.is_remote(directory) else shutil).rmtree(directory)


def _is_filled(directory: str) -> bool:
  return tf.io.gfile.isdir(directory) and bool(tf.io.gfile.listdir(directory))


def _matches(parts: list[str], pattern: list[str], is_folder: bool) -> bool:
  """Whether a file has a pattern, or a folder is on the way of one to a file."""
  fits = len(parts) < len(pattern) if is_folder else len(parts) == len(pattern)
  return fits and all(map(fnmatch.fnmatchcase, parts, pattern))


def _sync(directory: str) -> None:
  """Makes sure that the files of a local directory are on the disk."""
  if files.is_remote(directory):
    return
  for path in files.files_below(directory):
    descriptor = os.open(path, os.O_RDONLY)
    try:
      os.fsync(descriptor)
    finally:
      os.close(descriptor)
