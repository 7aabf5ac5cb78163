# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is finished of a prediction: one file of predictions for each file of records.

    <output_file>.parts/job.json                     model and settings
    <output_file>.parts/<record file>-<digest>.npz   ids, classes, scores, num_videos

A part is there whole or not at all, so that a run that was killed goes on where it was.
"""

import dataclasses
import hashlib
import io
import json
import os
import zipfile

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import files
from yt8m.export.prediction import shards

JOB = "job.json"


@dataclasses.dataclass(frozen=True)
class Parts:
  """The parts in a directory; a plain value, which another process can be sent.

  Attributes:
    directory: beside the output; on a cluster, where all machines see it.
  """
  directory: str

  @classmethod
  def beside(cls, output_file):
    """The parts of an output."""
    return cls(f"{output_file}.parts")

  @classmethod
  def open(cls, output_file, job, overwrite=False):
    """Makes the directory, or takes over that of an earlier run of the same job.

    Args:
      output_file: what the parts are for.
      job: `shards.Job`.
      overwrite: deletes the parts of another job, which are an error otherwise.

    Raises:
      ValueError: there are parts of another model or other settings (named).
    """
    parts = cls.beside(output_file)
    described = json.loads(json.dumps(
        {"format": 1, "model": job.source.fingerprint(), **job.settings()}))
    path = os.path.join(parts.directory, JOB)
    found = _read_json(path) if tf.io.gfile.exists(path) else described
    different = [key for key in {**described, **found}
                 if found.get(key) != described.get(key)]
    if different:
      what = ", ".join(f"{key} {found.get(key)!r}, now {described.get(key)!r}"
                       for key in different)
      if not overwrite:
        raise ValueError(f"{parts.directory} holds parts of another run ({what}). Start "
                         "it as before, or delete the directory or add --overwrite to "
                         "predict all again.")
      logging.warning("%s: parts of another run are deleted (%s).", parts.directory, what)
      parts.remove()
    tf.io.gfile.makedirs(parts.directory)
    with files.atomic_write(path) as file:
      json.dump(described, file, indent=2)
    return parts

  def write(self, path, predictions):
    """Keeps the `shards.Predictions` of a file of records."""
    part = io.BytesIO()
    np.savez(part, **predictions._asdict())
    with files.atomic_write(self.path(path), "wb") as file:
      file.write(part.getvalue())

  def read(self, path):
    """Returns the `Predictions` of a file of records.

    Raises:
      ValueError: the part is damaged.
      FileNotFoundError: there is none.
    """
    part = self.path(path)
    with files.open_to_read(part, "rb") as file:
      content = io.BytesIO(file.read())
    try:
      with np.load(content, allow_pickle=False) as arrays:
        predictions = shards.Predictions(
            *(arrays[name] for name in shards.Predictions._fields))
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
      raise ValueError(f"{part} is damaged ({error}): delete it, and start again to "
                       "predict this file again.") from error
    return predictions._replace(num_videos=int(predictions.num_videos))

  def is_finished(self, path):
    """Whether a file of records, of its present size, has an undamaged part."""
    if not tf.io.gfile.exists(self.path(path)):
      return False
    try:
      self.read(path)
    except ValueError as error:
      logging.warning("%s", error)
      return False
    return True

  def remove(self):
    """Deletes the directory."""
    tf.io.gfile.rmtree(self.directory)

  def remove_if_empty(self):
    """Deletes the directory if it has no part."""
    if tf.io.gfile.exists(self.directory) and (
        not tf.io.gfile.glob(os.path.join(self.directory, "*.npz"))):
      self.remove()

  def path(self, path, suffix="npz"):
    """Where the part of a file of records is, or what else is kept of it."""
    name = f"{path}, {tf.io.gfile.stat(path).length} bytes"
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return os.path.join(self.directory, f"{os.path.basename(path)}-{digest}.{suffix}")


def sweep(output_file):
  """Removes the output that a killed run left half-written beside its parts."""
  if tf.io.gfile.exists(os.path.join(Parts.beside(output_file).directory, JOB)):
    for path in tf.io.gfile.glob(f"{output_file}.tmp{'[0-9a-f]' * 8}"):
      tf.io.gfile.remove(path)


def _read_json(path):
  with files.open_to_read(path) as file:
    text = file.read()
  try:
    return json.loads(text)
  except json.JSONDecodeError as error:
    raise ValueError(f"{path} is not what yt8m-inference wrote ({error}): delete its "
                     "directory.") from error
