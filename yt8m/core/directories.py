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
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

import tensorflow as tf
from absl import logging

from yt8m.core import checksum
from yt8m.core import files
from yt8m.core import finished
from yt8m.core import locks
from yt8m.core import temporaries
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
    return [self.marker, *(
        contents(os.fspath(directory)) if callable(contents) else contents)]

  def may_hold(self, name: str, is_folder: bool) -> bool:
    """Whether a file or folder of this name, with slashes, belongs to this kind.

    The kind must have fixed patterns, which depend on no directory.
    """
    parts = name.split("/")
    return any(_matches(parts, pattern.split("/"), is_folder)
               for pattern in self.patterns(""))

  def refuse_links(self, directory: PathLike) -> None:
    """Refuses a directory of somebody else that leads what is written elsewhere.

    Raises:
      FileExistsError: A file or folder of this kind is a symbolic link.
    """
    directory = os.fspath(directory)
    if files.is_remote(directory):
      return
    for folder, folders, names in os.walk(directory):
      for name in (*folders, *names):
        path = os.path.join(folder, name)
        relative = os.path.relpath(path, directory).replace(os.sep, "/")
        if os.path.islink(path) and any(
            self.may_hold(relative, is_folder) for is_folder in (False, True)):
          raise FileExistsError(
              f"{path} is a symbolic link to {os.path.realpath(path)}, and what is "
              f"written into a {self.name} or packed from it must not lie elsewhere: put "
              "the file or folder itself in its place.")

  def foreign_entries(self, directory: PathLike) -> list[str]:
    """Returns the files and folders of a directory that do not belong to this kind.

    A symbolic link never belongs to it, nor does a folder that is in no pattern. Locks
    and temporaries, which a killed process leaves, belong to every kind.
    """
    directory = os.fspath(directory)
    patterns = [pattern.split("/") for pattern in self.patterns(directory)]
    walk = tf.io.gfile.walk if files.is_remote(directory) else os.walk
    foreign = []
    for folder, folders, names in walk(directory):
      for name in (*folders, *names):
        path = os.path.join(folder, name.rstrip("/"))
        parts = os.path.relpath(path, directory).split(os.sep)
        is_folder = name in folders
        owner = parts if is_folder else [*parts[:-1], finished.marked_by(parts[-1])]
        if os.path.islink(path) or not (
            any(_matches(owner, pattern, is_folder) for pattern in patterns)
            or name.endswith(locks.FILE) or any(map(temporaries.is_one, parts))):
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
                     owned: Kind | None = None, earlier: PathLike | None = None,
                     **errors: str) -> Iterator[str]:
  """Yields a new directory that becomes `path` if the block ends without an error.

  If the block raises an error, the new directory is removed and `path` stays as it was.
  What killed processes left of the same `path` is removed first. If `path` is a directory
  of the kind `owned` with the same contents, it stays, and that is no error: a command
  that was killed at its end can be repeated.

  Args:
    path: Path of the directory, local or remote (`gs://…`).
    overwrite: Whether a directory of the kind `owned` may be replaced. An empty
      directory is always replaced.
    owned: Kind of the directory that is written.
    earlier: Path of a directory; if it turns out to have the same contents, `path` is
      not made.
    **errors: Arguments `flag` and `remedy` of `check_replaceable`.

  Raises:
    ValueError: `path` is empty.
    FileExistsError: `path` must not be replaced.
    OSError: The directory cannot be made, or the disk is full.
  """
  final = checked_path(path, errors.get("flag", "--output_dir"))
  remote = files.is_remote(final)
  if not remote:
    temporaries.sweep(final)  # First: one of them may be renamed back.
  replaceable = owned if overwrite else None
  is_ours = _is_ours(final, owned)
  if not is_ours:
    check_replaceable(final, replaceable, **errors)
  with _remote(final) if remote else temporaries.directory(final) as temporary:
    try:
      with files.clear_disk_errors(final, temporary):
        yield temporary
        _sync(temporary)
      for other in ([final] if is_ours else []) + ([earlier] if earlier else []):
        if _same_contents(temporary, os.fspath(other)):
          logging.info("%s is there already, with the same contents.", other)
          remove(temporary)
          return
      # Again, because the block may have taken hours.
      check_replaceable(final, replaceable, **errors)
      _replace(temporary, final)
    except BaseException:
      with contextlib.suppress(OSError, tf.errors.OpError):
        remove(temporary)
      raise


def discard(path: PathLike, owned: Kind, flag: str) -> None:
  """Removes a directory of ours at once, and what killed processes left of it.

  Raises:
    FileExistsError: The directory is not of the kind `owned`, or holds something else.
  """
  path = checked_path(path, flag)
  if not files.is_remote(path):
    temporaries.sweep(path)  # First: one of them may be renamed back.
  check_replaceable(path, owned, flag)
  if files.is_remote(path):
    remove(path)
  elif os.path.isdir(path):
    with temporaries.retired(path, for_good=True) as away:
      files.sync(os.path.dirname(path))
      remove(away)


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


@contextlib.contextmanager
def _remote(path: str) -> Iterator[str]:
  temporary = temporaries.name(path)
  tf.io.gfile.makedirs(temporary)
  yield temporary


def _is_ours(path: str, owned: Kind | None) -> bool:
  """Returns whether there is a directory of a kind, with nothing else in it."""
  return (owned is not None and tf.io.gfile.exists(os.path.join(path, owned.marker))
          and not owned.foreign_entries(path))


def _same_contents(first: str, second: str) -> bool:
  sizes = [{os.path.relpath(path, directory): tf.io.gfile.stat(path).length
            for path in files.files_below(directory)}
           for directory in (first, second)]
  return sizes[0] == sizes[1] and (
      checksum.of_tree(first, [""]) == checksum.of_tree(second, [""]))


def _replace(temporary: str, final: str) -> None:
  """Renames a directory, and removes the one that was at its new path."""
  if files.is_remote(final):
    if tf.io.gfile.exists(final):
      replaced = f"{temporary}.old"
      tf.io.gfile.rename(final, replaced)
      tf.io.gfile.rename(temporary, final)
      remove(replaced)
    else:
      tf.io.gfile.rename(temporary, final)
    return
  replaced = None
  if not os.path.exists(final):
    os.rename(temporary, final)
  elif temporaries.exchange(temporary, final):
    replaced = temporary
  else:
    with temporaries.retired(final) as replaced:
      os.rename(temporary, final)
  files.sync(os.path.dirname(final))
  if replaced:
    remove(replaced)


def _sync(directory: str) -> None:
  """Makes sure that a local directory is stored on the disk with all its files."""
  if files.is_remote(directory):
    return
  for folder, _, names in os.walk(directory):
    for name in names:
      files.sync(os.path.join(folder, name))
    files.sync(folder)
