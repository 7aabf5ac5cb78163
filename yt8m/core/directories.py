# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Directories that appear whole or not at all, and that replace only our own.

One rule holds for every command that replaces or deletes a directory. Nothing, or an
empty directory, may be replaced. Any other directory must have the marker of the kind
that the command writes, and hold nothing but files of that kind. A file is never
replaced, and a symbolic link is never followed.
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
    contents: Patterns of the other files that such a directory may hold, or a function
      from the directory to these patterns. A pattern is a path below the directory, in
      which `*` stands for any characters but a slash.
  """
  name: str
  marker: str
  contents: tuple[str, ...] | Callable[[str], Iterable[str]]

  def patterns(self, directory: PathLike) -> list[str]:
    """Returns the patterns of all files that such a directory may hold."""
    contents = self.contents
    if callable(contents):
      contents = contents(os.fspath(directory))
    return [self.marker, *contents]

  def foreign_entries(self, directory: PathLike) -> list[str]:
    """Returns the files and folders of a directory that do not belong to this kind.

    A symbolic link never belongs to it, nor does a folder that is in no pattern.
    """
    directory = os.fspath(directory)
    patterns = [pattern.split("/") for pattern in self.patterns(directory)]
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
  """Returns the absolute path of a directory that may be written to.

  Args:
    path: Path of the directory. A remote path is returned as it is.
    flag: Name of the flag that `path` comes from, for errors.

  Raises:
    ValueError: `path` is empty.
    FileExistsError: `path` is a file or a symbolic link.
  """
  path = os.fspath(path)
  if not path:
    raise ValueError(
        f"{flag} is empty: name a directory. (Is a shell variable not set?)")
  if not files.is_remote(path):
    if os.path.islink(path.rstrip(os.sep)):
      raise FileExistsError(f"{flag}={path} is a symbolic link, and links are not "
                            f"followed: name {os.path.realpath(path)} itself.")
    path = os.path.realpath(path)
  if tf.io.gfile.exists(path) and not tf.io.gfile.isdir(path):
    raise FileExistsError(f"{flag}={path} is a file: name a directory.")
  return path


def check_replaceable(path: PathLike, owned: Kind | None = None,
                      flag: str = "--output_dir",
                      remedy: str = "name another directory") -> str:
  """Returns the absolute path of a directory that may be replaced or deleted.

  Args:
    path: Path of the directory.
    owned: Kind of directory that may be replaced. None: only an empty one may.
    flag: Name of the flag that `path` comes from, for errors.
    remedy: Advice in the error if no kind may be replaced.

  Raises:
    ValueError: `path` is empty.
    FileExistsError: `path` must not be replaced, by the rule of this module.
  """
  path = checked_path(path, flag)
  if not (tf.io.gfile.isdir(path) and tf.io.gfile.listdir(path)):
    return path
  if owned is None:
    raise FileExistsError(
        f"{flag}={path} exists and is not an empty directory: {remedy}.")
  if not tf.io.gfile.exists(os.path.join(path, owned.marker)):
    raise FileExistsError(
        f"{flag}={path} is not replaced: it has no {owned.marker}, so it is not a "
        f"{owned.name}. Name another directory, or delete this one yourself.")
  if foreign := owned.foreign_entries(path):
    raise FileExistsError(
        f"{flag}={path} is not replaced: it also holds {', '.join(foreign[:3])}"
        f"{', …' if len(foreign) > 3 else ''}, which no {owned.name} has. Move that "
        "away, or name another directory.")
  return path


@contextlib.contextmanager
def atomic_directory(path: PathLike, *, overwrite: bool = False,
                     owned: Kind | None = None, **errors: str) -> Iterator[str]:
  """Yields a new directory that becomes `path` if the block ends without an error.

  If the block raises an error, the new directory is removed and `path` stays as it was.

  Args:
    path: Path of the directory, local or remote (`gs://…`).
    overwrite: Whether a directory of the kind `owned` may be replaced. An empty
      directory is always replaced.
    owned: Kind of the directory that is written.
    **errors: Arguments `flag` and `remedy` of `check_replaceable`.

  Raises:
    ValueError: `path` is empty.
    FileExistsError: `path` must not be replaced.
    OSError: The directory cannot be made.
  """
  replaceable = owned if overwrite else None
  final = check_replaceable(path, replaceable, **errors)
  parent, name = os.path.split(final)
  # Hidden: a pattern such as members/* must not match a directory that is half written.
  temporary = os.path.join(parent, f".{name}.tmp{uuid.uuid4().hex[:8]}")
  (tf.io.gfile.makedirs if files.is_remote(final) else os.makedirs)(temporary)
  try:
    yield temporary
    _sync(temporary)
    # Again, because the block may have taken hours.
    check_replaceable(final, replaceable, **errors)
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


def remove(path: PathLike) -> None:
  """Removes a file, or a directory with everything in it, without following links."""
  if not tf.io.gfile.isdir(path):
    tf.io.gfile.remove(path)
  elif files.is_remote(path):
    tf.io.gfile.rmtree(path)
  else:
    shutil.rmtree(path)  # TensorFlow would delete the files that a link points to.


def _matches(parts: list[str], pattern: list[str], is_folder: bool) -> bool:
  """Returns whether a file matches a pattern, or a folder the start of one."""
  fits = len(parts) < len(pattern) if is_folder else len(parts) == len(pattern)
  return fits and all(map(fnmatch.fnmatchcase, parts, pattern))


def _sync(directory: str) -> None:
  """Makes sure that the files of a local directory are stored on the disk."""
  if files.is_remote(directory):
    return
  for path in files.files_below(directory):
    with open(path, "rb") as file:
      os.fsync(file.fileno())
