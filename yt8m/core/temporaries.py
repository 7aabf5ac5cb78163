# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporary files and directories beside what they become, each with an owner.

    .<name>.tmp<random><check>

`<check>` is a digest of the rest, so that no file of a user has such a name by accident.
The name is hidden, because a pattern such as members/* must not match what is half
written. The process that makes a temporary holds a lock on it, which the system drops
when the process ends, even by `kill -9`. So what can be locked belongs to nobody, and
`sweep` removes it, but never the temporary of a process that lives, here or on another
machine that sees the same disk. Remote files (`gs://…`) cannot be locked and are not
swept.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator

from yt8m.core import signals

_NUM_CHARACTERS = 50  # Of the name: file systems allow 255 bytes.
_RETIRED = ".old"
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def name(path: str) -> str:
  """Returns the path of a new temporary for a file or directory."""
  folder, base = os.path.split(path)
  return os.path.join(folder, _with_check(_stem(base) + uuid.uuid4().hex[:8]))


def is_one(name: str) -> bool:
  """Returns whether a file or directory has the name of a temporary."""
  name = name.removesuffix(_RETIRED)
  return re.search(r"\.tmp[0-9a-f]{16}$", name) is not None and (
      name == _with_check(name[:-8]))


@contextlib.contextmanager
def file(path: str) -> Iterator[str]:
  """Yields the path of an empty, locked file, whose temporaries of dead processes go.

  The block renames or removes it.

  Args:
    path: Path of the local file that it is for.

  Raises:
    OSError: The file cannot be made; the error names `path`.
  """
  sweep(path)
  try:
    temporary, descriptor = _make(
        path, lambda new: os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
  except OSError as error:
    raise OSError(
        error.errno, f"{error.strerror}: its directory must exist and be writable",
        path) from error
  with _held(temporary, descriptor):
    yield temporary


@contextlib.contextmanager
def directory(path: str) -> Iterator[str]:
  """Yields the path of an empty, locked directory; otherwise like `file`.

  Directories above it are made as well.
  """
  sweep(path)
  os.makedirs(os.path.dirname(path) or ".", exist_ok=True)

  def make(new):
    os.mkdir(new)
    return os.open(new, os.O_RDONLY | os.O_DIRECTORY)

  temporary, descriptor = _make(path, make)
  with _held(temporary, descriptor):
    yield temporary


@contextlib.contextmanager
def _held(temporary: str, descriptor: int) -> Iterator[None]:
  """Unlocks a temporary when the block ends; a signal no longer removes it then."""
  try:
    yield
  finally:
    os.close(descriptor)
    signals.keep(temporary)


@contextlib.contextmanager
def scratch(folder: str | None = None, purpose: str = "scratch") -> Iterator[str]:
  """Yields a new directory for files that are needed only within the block.

  Args:
    folder: Local directory to make it in. Default: that of the system, `$TMPDIR`.
    purpose: Beginning of its name.
  """
  with directory(os.path.join(folder or tempfile.gettempdir(), purpose)) as temporary:
    try:
      yield temporary
    finally:
      shutil.rmtree(temporary, ignore_errors=True)


def exchange(first: str, second: str) -> bool:
  """Exchanges two local paths at once; returns False if that is not possible here."""
  try:
    rename = ctypes.CDLL(None, use_errno=True).renameat2
  except (AttributeError, OSError):  # Only Linux has it.
    return False
  return not rename(_HERE, os.fsencode(os.path.abspath(first)),
                    _HERE, os.fsencode(os.path.abspath(second)), _EXCHANGE)


@contextlib.contextmanager
def retired(path: str, for_good: bool = False) -> Iterator[str]:
  """Renames a directory to a temporary for the block, and yields that path.

  Args:
    path: Path of the local directory.
    for_good: Whether it is never needed again, and removed in the block. Otherwise, if
      the process dies before there is another directory at `path`, the next `sweep`
      renames it back.
  """
  descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
  away = name(path) + ("" if for_good else _RETIRED)
  if for_good:
    signals.remove_if_stopped(away)
  try:
    _lock(descriptor)
    os.rename(path, away)
    yield away
  finally:
    os.close(descriptor)
    if not os.path.lexists(away):  # Else a signal has interrupted the removal.
      signals.keep(away)


def sweep(path: str) -> None:
  """Removes the temporaries for a local path that processes left when they died."""
  folder, base = os.path.split(path)
  with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
    for entry in list(entries):
      if entry.name.startswith(_stem(base)) and is_one(entry.name):
        with contextlib.suppress(OSError):  # Perhaps it is of another user.
          _remove_if_dead(os.path.join(folder, entry.name), path)


def sweep_folder(folder: str) -> bool:
  """Removes all temporaries in a local folder that processes left when they died.

  Returns:
    Whether there are others, of processes that live.
  """
  with os.scandir(folder) as entries:
    found = [entry.path for entry in entries if is_one(entry.name)
             and not entry.name.endswith(_RETIRED)]
  for path in found:
    with contextlib.suppress(OSError):  # It is gone, or of another user.
      _remove_if_dead(path, path)
  return any(map(os.path.lexists, found))


def _stem(base):
  return f".{base.lstrip('.')[:_NUM_CHARACTERS]}.tmp"


def _with_check(name):
  return name + hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


def _make(path, make):
  while True:
    temporary = name(path)
    signals.remove_if_stopped(temporary)
    descriptor = make(temporary)
    _lock(descriptor, wait=True)
    # Another process may have swept it away before it was locked.
    if os.path.lexists(temporary):
      return temporary, descriptor
    os.close(descriptor)


def _lock(descriptor, wait=False):
  """Locks a file; returns whether that worked."""
  try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
  except OSError:  # It is locked, or this file system has no locks.
    return False
  return True


def _remove_if_dead(temporary, path):
  kind = os.lstat(temporary).st_mode
  if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
    return
  is_directory = stat.S_ISDIR(kind)
  descriptor = os.open(temporary, os.O_NOFOLLOW | (
      os.O_RDONLY | os.O_DIRECTORY if is_directory else os.O_RDWR))
  try:
    if not _lock(descriptor):
      return
    if not is_directory:
      os.remove(temporary)
    elif temporary.endswith(_RETIRED) and not os.path.lexists(path):
      os.rename(temporary, path)
    else:
      shutil.rmtree(temporary)
  finally:
    os.close(descriptor)
