# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The parts of an output: one file of predictions for each record file.

    <output>.parts/job.json                     model and settings
    <output>.parts/<record file>-<digest>.npz   arrays of predictions

A part is there whole or not at all, so a run that was killed continues where it was.
"""

import dataclasses
import hashlib
import io
import json
import os
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import checksum
from yt8m.core import directories
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import paths
from yt8m.core import temporaries
from yt8m.export.prediction import jobs

JOB = "job.json"
# Settings that, when they are turned on, leave the parts of good files as they are.
_SKIPS = ("skip_corrupt_records", "skip_bad_records")
# Counters of tries, and files that a killed run left half-written, end as the last two.
_KIND = directories.Kind(
    "directory of predicted parts", JOB, ("*.npz", "*.tries", "*.tmp*"))


@dataclasses.dataclass(frozen=True)
class Parts:
  """The parts of a job in a directory. The object can be sent to another process.

  Attributes:
    directory: Path of the directory, which every machine of a cluster must see.
    job: Model and settings.
  """
  directory: str
  job: jobs.Job

  @classmethod
  def open(cls, output: str, job: jobs.Job, overwrite: bool = False) -> "Parts":
    """Makes the directory, or takes over that of an earlier run of the same job.

    Args:
      output: Path of the file or directory that the parts are for.
      job: Model and settings.
      overwrite: Whether to delete parts of another job; they are an error otherwise.

    Raises:
      FileExistsError: The directory holds something else.
      ValueError: There are parts of another model or other settings.
    """
    parts = cls(_directory(output), job)
    path = os.path.join(parts.directory, JOB)
    if not files.is_remote(path):  # What a run left that was killed here.
      temporaries.sweep(parts.directory)
      temporaries.sweep(path)
    directories.check_replaceable(parts.directory, _KIND, "The directory of the parts")
    settings = json.loads(json.dumps(
        {"format": 1, "model": job.source.fingerprint, **job.settings()}))
    earlier = settings
    if tf.io.gfile.exists(path):
      earlier = files.read_json(
          path, kind="a job that yt8m-inference or yt8m-ensemble wrote",
          remedy=f"Delete {parts.directory}")
    different = [key for key in {**settings, **earlier}
                 if earlier.get(key) != settings.get(key)
                 and not (key in _SKIPS and not earlier.get(key))]
    if different:
      changes = ", ".join(f"{key} {earlier.get(key)!r}, now {settings.get(key)!r}"
                          for key in different)
      if not overwrite:
        raise ValueError(f"{parts.directory} holds parts of another run ({changes}). "
                         "Start it as before, or delete the directory or add --overwrite "
                         "to predict all again.")
      logging.warning("%s: parts of another run are deleted (%s).", parts.directory,
                      changes)
      parts.remove()
    tf.io.gfile.makedirs(parts.directory)
    files.write_json(path, settings)
    return parts

  def write(self, record_file: str, part: jobs.Part) -> None:
    """Keeps the part of a record file."""
    content = io.BytesIO()
    arrays: dict[str, Any] = dict(part)
    np.savez(content, **arrays)
    with files.atomic_write(self.path(record_file), "wb") as file:
      file.write(content.getvalue())

  def read(self, record_file: str) -> jobs.Part:
    """Returns the part of a record file.

    Raises:
      ValueError: The part is damaged.
      FileNotFoundError: There is no such part.
    """
    path = self.path(record_file)
    with files.open_to_read(path, "rb") as file:
      content = io.BytesIO(file.read())
    try:
      with np.load(content, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
    except Exception as error:  # any, depending on which bytes of a .npz are damaged
      raise ValueError(f"{path} is damaged ({fields.reason(error)}): delete it, and "
                       "start again to predict this file again.") from error

  def is_finished(self, record_file: str) -> bool:
    """Returns whether a record file, as it is now, has an undamaged part."""
    if not tf.io.gfile.exists(self.path(record_file)):
      return False
    try:
      self.read(record_file)
    except ValueError as error:
      logging.warning("%s", error)
      return False
    return True

  def sweep(self) -> bool:
    """Removes what dead processes have half written; returns whether there is more."""
    return not files.is_remote(self.directory) and temporaries.sweep_folder(
        self.directory)

  def remove(self) -> None:
    """Deletes the directory, unless it holds something that is not ours."""
    _discard(self.directory)

  def remove_if_empty(self) -> None:
    """Deletes the directory if it is there and has no part."""
    if tf.io.gfile.exists(self.directory) and not paths.files_of(
        self.directory, "*.npz"):
      self.remove()

  def path(self, record_file: str, suffix: str = "npz") -> str:
    """Returns the path of the part of a record file, or of what else is kept of it."""
    name = f"{record_file}, {checksum.of_ends(record_file)}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return os.path.join(
        self.directory, f"{os.path.basename(record_file)}-{digest}.{suffix}")


def remove(output: str) -> None:
  """Deletes the parts of an output, if there are any."""
  directory = _directory(output)
  if not files.is_remote(directory):
    temporaries.sweep(directory)
  if tf.io.gfile.exists(os.path.join(directory, JOB)):
    _discard(directory)


def _discard(directory: str) -> None:
  try:
    directories.discard(directory, _KIND, "The directory of the parts")
  except FileExistsError as error:
    logging.warning("%s", error)


def _directory(output: str) -> str:
  return f"{output}.parts"
