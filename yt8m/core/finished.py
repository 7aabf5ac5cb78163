# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which job wrote a file: so that the same command, run again, finds its work done.

A command that is killed between the end of its work and its own end leaves a finished
output. The same command, run again, must end well; another one must not pass off that
output as its own. So the output is marked, before it gets its name, with two SHA-256: of
the job and of the contents.

The mark is an extended attribute of the file. It is renamed and deleted with it, and is
lost in a copy, which is then a file like any other. Where the file system has no such
attributes, the mark is a hidden file beside the output, `.<name>.job`.
"""

import contextlib
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from yt8m.core import checksum
from yt8m.core import files
from yt8m.core.types import PathLike

_ATTRIBUTE = "user.yt8m.job"
_BESIDE = re.compile(r"\.(.+)\.job")


def marker(path: PathLike, job: Mapping[str, Any]) -> Callable[[str], None]:
  """Returns the function that marks an output, for `files.atomic_path`.

  Args:
    path: Path of the output.
    job: Everything that its contents depend on, for JSON.
  """
  return functools.partial(_mark, path=_real(path), job=job)


def is_by(path: PathLike, job: Mapping[str, Any]) -> bool:
  """Returns whether a file is there, was written by a job, and has not changed since."""
  path = _real(path)
  if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
    return False
  mark = _read(path)
  # The contents last: reading them takes time.
  return (mark.startswith(f"{_digest(job)} ")
          and mark == f"{_digest(job)} {checksum.of_file(path)}")


def check(path: PathLike, job: Mapping[str, Any], overwrite: bool,
          flag: str = "--output_file") -> bool:
  """Returns whether the work of a job is done: its output is there.

  Args:
    path: Path of the output.
    job: Everything that its contents depend on, for JSON.
    overwrite: Whether the output is written again, whatever is there.
    flag: Name of the flag that `path` comes from, for the error.

  Raises:
    FileExistsError: Another output is there, which must stay.
  """
  if overwrite or not tf.io.gfile.exists(os.fspath(path)):
    return False
  if is_by(path, job):
    logging.info("%s is there already: the same command wrote it.", path)
    return True
  raise FileExistsError(
      f"{flag}={path} exists: name another output, or add --overwrite.")


def marked_by(name: str) -> str:
  """Returns the name of the file that a hidden file marks; any other name as it is."""
  return match[1] if (match := _BESIDE.fullmatch(name)) else name


def _mark(temporary: str, path: str, job: Mapping[str, Any]) -> None:
  mark = f"{_digest(job)} {checksum.of_file(temporary)}"
  try:
    os.setxattr(temporary, _ATTRIBUTE, mark.encode())
  except (AttributeError, OSError):  # Linux has it, and only for local files.
    beside = _beside(path)
    if not files.is_remote(beside) and os.path.islink(beside):
      os.remove(beside)  # It would be followed.
    with files.atomic_write(beside) as file:
      file.write(mark)


def _read(path: str) -> str:
  with contextlib.suppress(AttributeError, OSError):
    return os.getxattr(path, _ATTRIBUTE).decode(errors="replace")
  with contextlib.suppress(OSError, UnicodeDecodeError):
    with files.open_to_read(_beside(path)) as file:
      return file.read()
  return ""


def _digest(job: Mapping[str, Any]) -> str:
  return hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()


def _beside(path: str) -> str:
  folder, name = os.path.split(path)
  return os.path.join(folder, f".{name}.job")


def _real(path: PathLike) -> str:
  path = os.fspath(path)
  return path if files.is_remote(path) else os.path.realpath(path)
