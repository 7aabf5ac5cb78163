# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs commands as child processes, logs their output and stops them together."""

import contextlib
import dataclasses
import fcntl
import json
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TextIO

from absl import logging

from yt8m.core import commands
from yt8m.core import locks
from yt8m.core import registry

THREADS = "TF_NUM_INTRAOP_THREADS"
_GRACE_SECS = 20.0  # to finish a step and save
_POLL_SECS = 1.0


class RunFailed(ValueError):
  """A command failed; the message holds the last lines of its log."""


class Stopped(Exception):
  """The commands were stopped."""


class Runner:
  """Runs commands, from any number of threads, until they are stopped together.

  Args:
    num_threads: Number of threads of each command.
    keep_open: File descriptors that the commands inherit.
    typed: Whether the user has typed all flags of the commands. Code that they name is
      allowed then. Otherwise it must be allowed like that of a file.
  """

  def __init__(self, num_threads: int, keep_open: Sequence[int] = (),
               typed: bool = False):
    self._environment = {
        "TF_FORCE_GPU_ALLOW_GROWTH": "true", **os.environ,
        **{name: str(num_threads) for name in (
            THREADS, "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")}}
    self._keep_open, self._typed = keep_open, typed
    self._lock, self._stopped = threading.Lock(), False
    self._processes: list[subprocess.Popen] = []

  def run(self, command: Sequence[str], log: TextIO,
          should_end: Callable[[], bool] | None = None) -> bool:
    """Runs a command to its end.

    Args:
      command: Name and arguments of the command.
      log: File for its output.
      should_end: Function that is called every second. If it returns True, the command
        is ended by SIGTERM, so that a training saves first.

    Returns:
      Whether `should_end` ended the command.

    Raises:
      RunFailed: The command failed.
      Stopped: `stop` was called, before or during the run.
    """
    print("$ " + shlex.join(command), file=log, flush=True)
    with self._lock:
      if self._stopped:
        raise Stopped
      # The last --allow_code counts, not one in the flags of a table.
      allowed = registry.allowed_code()
      allow = ([] if self._typed and not allowed
               else [f"--allow_code={','.join(allowed)}"])
      # A new session, so that Ctrl-C reaches the command through `stop` only.
      process = subprocess.Popen(
          [*commands.as_process(*command), *allow],
          stdin=subprocess.DEVNULL, stdout=log, stderr=log,
          env=self._environment, start_new_session=True, pass_fds=self._keep_open)
      self._processes.append(process)
    ended = should_end is not None and _watch(process, should_end)
    code = process.wait()
    if self._stopped:
      raise Stopped
    if code and not ended:
      raise RunFailed(f"{command[0]} ended with code {code}, see {log.name}:\n"
                      + _last_lines(log.name))
    return ended

  def stop(self) -> None:
    """Ends all running commands and starts no more."""
    with self._lock:
      self._stopped = True
    _end(self._processes)


def _watch(process: subprocess.Popen, should_end: Callable[[], bool]) -> bool:
  """Waits until a process ends, or ends it; returns whether it ended it."""
  while process.poll() is None:
    with contextlib.suppress(subprocess.TimeoutExpired):
      process.wait(_POLL_SECS)
      return False
    try:
      ending = should_end()
    except BaseException:
      _end([process])
      raise
    if ending:
      _end([process])
      return True
  return False


def _end(processes: Sequence[subprocess.Popen]) -> None:
  """Ends processes by SIGTERM, and those that do not obey by SIGKILL."""
  for process in processes:
    process.terminate()  # Does nothing if the process has ended.
  deadline = time.monotonic() + _GRACE_SECS
  for process in processes:
    try:
      process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
      os.killpg(process.pid, signal.SIGKILL)


def num_processors() -> int:
  """Returns the number of processors that this process may use."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def _last_lines(path, count=4):
  """Returns the last error message of a log, or its last lines if there is none."""
  with open(path, errors="replace") as file:
    lines = [line.rstrip() for line in file
             if line.strip() and not line.startswith("(--")]  # Where to look further.
  errors = [index for index, line in enumerate(lines) if line.startswith("ERROR: ")]
  first = errors[-1] if errors else -count
  return "\n".join("    " + line[:300] for line in lines[first:][:count])


@contextlib.contextmanager
def lock(directory: str | os.PathLike, command: str = "yt8m-ablation"
         ) -> Iterator[TextIO]:
  """Locks a directory, creating it if necessary; yields the lock file.

  Child processes that inherit the file hold the lock too, even if they outlive this
  process. If only they hold it, it is waited for: they finish what was begun.

  Args:
    directory: Path of the directory.
    command: Name of the command that works in it, for errors.

  Raises:
    ValueError: Another process holds the lock.
  """
  os.makedirs(directory, exist_ok=True)
  path = os.path.join(directory, ".lock")
  if os.path.islink(path) or (os.path.exists(path) and os.stat(path).st_nlink > 1):
    raise OSError(f"{path} is a link, which is no lock of ours: delete it.")
  with open(path, "a+") as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      file.seek(0)
      owner = _owner(file.read())
      if owner is None or not owner.is_dead:
        raise ValueError(
            f"Another {command} is at work in {directory}"
            f"{f' ({owner})' if owner else ''}: wait for it, or choose another "
            "--output_dir.") from error
      logging.warning("Waiting for a run in %s that a killed %s left behind: %s.",
                      directory, command, owner)
      fcntl.flock(file, fcntl.LOCK_EX)
    file.truncate(0)
    json.dump(dataclasses.asdict(locks.Owner.this_process("worked")), file)
    file.flush()
    yield file


def _owner(text: str) -> locks.Owner | None:
  """Returns the owner that a lock file names, or None."""
  try:
    return locks.Owner.from_config(json.loads(text))
  except (ValueError, RecursionError):
    return None
