# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A lock of a directory or an output: one process at a time, and none that is dead.

The lock is a file that says which process holds it. A process that is killed leaves the
file, but can be told from a live one: a process is known by host, number and start. On
remote file systems, two processes that start in the same moment may both get the lock.
"""

import contextlib
import dataclasses
import datetime
import errno
import fcntl
import os
import socket
from collections.abc import Iterator

import tensorflow as tf
from absl import logging

from yt8m.core import fields
from yt8m.core import files
from yt8m.core.types import Config
from yt8m.core.types import PathLike

FILE = ".yt8m-lock"


class InUseError(OSError):
  """Another process uses the directory. The message names it and the remedy."""


@dataclasses.dataclass(frozen=True)
class Owner:
  """The process that holds a lock.

  Attributes:
    host: Name of its host.
    pid: Number of the process.
    start: When it started, as the host counts time; tells it from a later process with
      the same number. Empty on systems without `/proc`.
    since: Time in UTC at which it got the lock.
    doing: What it does in the directory, a verb such as `"trains"`.
  """
  host: str
  pid: int
  start: str
  since: str
  doing: str

  @classmethod
  def this_process(cls, doing: str) -> "Owner":
    """Returns this process as an owner from now on."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return cls(socket.gethostname(), os.getpid(), _start_of(os.getpid()) or "",
               f"{now:%Y-%m-%d %H:%M:%S} UTC", doing)

  @classmethod
  def from_config(cls, content: Config) -> "Owner":
    """Returns the owner that the content of a lock file describes.

    Raises:
      ValueError: It is not the content of a lock of ours.
    """
    texts = ("host", "start", "since", "doing")
    fields.check(content, {"pid": fields.COUNT, **dict.fromkeys(texts, fields.TEXT)})
    return cls(pid=content["pid"], **{name: content[name] for name in texts})

  @property
  def is_here(self) -> bool:
    """Whether it is or was a process of this host."""
    return self.host == socket.gethostname()

  @property
  def is_dead(self) -> bool:
    """Whether it is known to have ended; of other hosts, nothing is known."""
    return self.is_here and _start_of(self.pid) != self.start

  def __str__(self) -> str:
    return f"process {self.pid} on {self.host} {self.doing} there since {self.since}"


@contextlib.contextmanager
def hold(directory: PathLike, doing: str, remedy: str = "choose another directory"
         ) -> Iterator[None]:
  """Makes a directory if there is none, and keeps other processes out of it.

  The lock of a dead process of this host is broken, with a message.

  Args:
    directory: Path of the directory, local or remote (`gs://…`).
    doing: What the block does, a verb for the errors of others, such as `"trains"`.
    remedy: Imperative clause for the error, besides waiting and stopping the other one.

  Raises:
    InUseError: Another process holds the lock.
    OSError: The directory cannot be made or written to.
    ValueError: Its lock file is not ours.
  """
  directory = os.fspath(directory)
  if tf.io.gfile.exists(directory) and not tf.io.gfile.isdir(directory):
    raise NotADirectoryError(f"{directory} is not a directory: name another one.")
  with files.clear_disk_errors(directory):
    tf.io.gfile.makedirs(directory)
  with _hold(os.path.join(directory, FILE), directory, doing, remedy):
    yield


@contextlib.contextmanager
def hold_output(path: PathLike, doing: str, remedy: str = "name another output",
                is_directory: bool = False) -> Iterator[None]:
  """Keeps other processes from writing a file or directory, by a lock beside it.

  Args:
    path: Path of the output.
    doing: What the block does, a verb for the errors of others, such as `"predicts"`.
    remedy: Imperative clause for the error, besides waiting and stopping the other one.
    is_directory: Whether the output is a directory: those above it are made if needed.

  Raises:
    InUseError: Another process holds the lock.
    OSError: The directory of `path` does not exist or cannot be written to.
  """
  path = os.fspath(path)
  if not files.is_remote(path):
    path = os.path.realpath(path)
  folder, name = os.path.split(path.rstrip("/") or path)
  if is_directory:
    tf.io.gfile.makedirs(folder)
  elif not files.is_remote(path):
    files.check_replaceable(path)
  if not files.is_remote(path) and not os.path.isdir(folder):
    raise FileNotFoundError(
        errno.ENOENT, "Its directory does not exist: make it, or name another", path)
  with _hold(os.path.join(folder, f".{name}{FILE}"), path, doing, remedy):
    yield


@contextlib.contextmanager
def _hold(path: str, locked: str, doing: str, remedy: str) -> Iterator[None]:
  """Holds the lock file `path`, which keeps others out of `locked`."""
  if not files.is_remote(path) and os.path.islink(path):
    raise OSError(f"{path} is a symbolic link, which is no lock of ours: delete it.")
  directory, owner = os.path.dirname(path), Owner.this_process(doing)
  with _one_at_a_time(directory):
    other = _read(path)
    if other and other.is_dead:
      logging.warning("%s is unlocked: %s, but has ended without unlocking it.",
                      locked, other)
    elif other:
      left = "" if other.is_here else f" If it has ended, delete {path}."
      raise InUseError(f"{locked} is in use: {other}. Wait for it, stop it, or "
                       f"{remedy}.{left}")
    files.write_json(path, dataclasses.asdict(owner))
  try:
    yield
  finally:
    with contextlib.suppress(OSError, tf.errors.OpError), _one_at_a_time(directory):
      # A fork of this process that ends here does not unlock.
      if os.getpid() == owner.pid and _read(path) == owner:
        tf.io.gfile.remove(path)


def _read(path: str) -> Owner | None:
  if not tf.io.gfile.exists(path):
    return None
  return files.read_json(path, kind="a lock of yt8m", remedy="Delete it",
                         parse=Owner.from_config)


@contextlib.contextmanager
def _one_at_a_time(directory: str) -> Iterator[None]:
  """Lets the processes of this host pass one by one, so that one breaks a lock."""
  if files.is_remote(directory):
    yield
    return
  descriptor = os.open(directory, os.O_RDONLY)
  try:
    with contextlib.suppress(OSError):  # Some network file systems cannot do it.
      fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
  finally:
    os.close(descriptor)  # This also unlocks it.


def _start_of(pid: int) -> str | None:
  """Returns when a process of this host started; None if it does not run."""
  if not os.path.isdir("/proc/self"):
    try:
      os.kill(pid, 0)
    except ProcessLookupError:
      return None
    except PermissionError:
      pass  # It runs, as another user.
    return ""
  try:
    with open(f"/proc/{pid}/stat") as file:
      # The name of the program, in parentheses, may hold spaces and parentheses.
      state, *numbers = file.read().rpartition(")")[2].split()
    with open("/proc/sys/kernel/random/boot_id") as file:
      boot = file.read().strip()
  except OSError:
    return None
  return None if state in "ZX" else f"{boot} {numbers[18]}"
