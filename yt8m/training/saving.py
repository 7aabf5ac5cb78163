# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writing checkpoints so that a crash at any moment, or a full disk, loses none.

A checkpoint is written in a folder of its own, brought to the disk, and renamed file by
file, its index last: without an index it does not count. Only then the list names it,
and only then the oldest ones are deleted. This also holds where renaming is copying, as
in object stores.
"""

import contextlib
import fnmatch
import os
import re
import time
from collections.abc import Iterator
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.core import files
from yt8m.core import types


class Saver:
  """Writes the checkpoints of a directory; it must be the only writer.

  Args:
    checkpoint: What to save.
    directory: Directory of the checkpoints.
    keep: Number of checkpoints to keep, the newest ones.
    newest: Path prefix of the checkpoint that training goes on from, if any. Those after
      it leave the list, but their files stay.
    kept: Step of a checkpoint that stays besides the newest ones; None for none.
  """

  def __init__(self, checkpoint: tf.train.Checkpoint, directory: str, keep: int,
               newest: str | None = None, kept: int | None = None):
    self._kept = kept
    self._checkpoint, self._directory, self._keep = checkpoint, directory, keep
    remove_leftovers(directory)
    self._times = (checkpoint_files.set_newest(directory, newest)
                   if newest and tf.io.gfile.exists(f"{newest}.index") else {})
    self._delete_oldest()  # A training that was killed may have begun to.

  def keep(self, step: int) -> None:
    """Keeps the checkpoint of a step besides the newest ones, and no other one."""
    self._kept = step
    with contextlib.suppress(OSError, tf.errors.OpError):  # The next save tries again.
      self._delete_oldest()

  def save(self, step: int, training: types.Config) -> None:
    """Saves the checkpoint of a step.

    Args:
      step: Number of the step.
      training: Entry `training` of the manifest.

    Raises:
      OSError: It cannot be written. Nothing of it is left.
    """
    path = checkpoint_files.of_step(self._directory, step)
    self._checkpoint.save_counter.assign_add(1)
    try:
      self._write(path, training)
    except (OSError, tf.errors.OpError) as error:
      self._checkpoint.save_counter.assign_sub(1)
      with contextlib.suppress(OSError, tf.errors.OpError):
        remove_leftovers(self._directory)
      raise OSError(f"Checkpoint {path} cannot be saved: {cause(error)}.") from error

  def _write(self, path, training):
    folder = os.path.join(self._directory, checkpoints.SAVING)
    tf.io.gfile.makedirs(folder)
    inside = os.path.join(folder, os.path.basename(path))
    self._checkpoint.write(inside)
    checkpoint_files.Manifest.of_files(inside, training).save(inside)
    for name in checkpoint_files.parts(inside):
      _sync(name)
    # Never an index beside data of another save.
    if tf.io.gfile.exists(f"{path}.index"):
      tf.io.gfile.remove(f"{path}.index")
    for name in checkpoint_files.parts(inside):
      if name.endswith(".index"):
        _sync(self._directory)
      tf.io.gfile.rename(
          name, os.path.join(self._directory, os.path.basename(name)), overwrite=True)
    _sync(self._directory)
    _remove_empty_folders(self._directory)
    self._list(path)

  def _list(self, path):
    self._times.pop(path, None)
    self._times[path] = time.time()
    checkpoint_files.write_list(self._directory, self._times)
    self._delete_oldest()

  def _delete_oldest(self):
    """Deletes checkpoints, which the list names until nothing of them is left."""
    oldest = [path for path in list(self._times)[:-self._keep]
              if checkpoint_files.step_of(path) != self._kept]
    for old in oldest:
      # The index first: without one it does not count.
      for name in reversed(checkpoint_files.parts(old)):
        tf.io.gfile.remove(name)
      del self._times[old]
    if oldest:
      checkpoint_files.write_list(self._directory, self._times)


def cause(error: OSError | tf.errors.OpError) -> str:
  """Returns why something cannot be written, without TensorFlow's operations."""
  text = getattr(error, "strerror", None) or str(error)
  return re.sub(r"^\{\{.*?\}\} | \[Op:.*", "", text.splitlines()[0].rsplit("; ", 1)[-1])


def remove_leftovers(directory: str) -> None:
  """Removes what a killed training left in its directory, and nothing else."""
  listed = checkpoint_files.listed(directory)
  found = list(_matches(directory, [f"{checkpoints.SAVING}/*.index"]))
  for name in found:  # It was killed while its files were renamed: some may be here.
    path = os.path.join(directory, os.path.basename(name).removesuffix(".index"))
    if path not in listed and not tf.io.gfile.exists(f"{path}.index"):
      found = [*found, *checkpoint_files.parts(path)]
  found = list(dict.fromkeys([*found, *_matches(directory, checkpoints.LEFTOVERS)]))
  for name in found:
    tf.io.gfile.remove(name)
  _remove_empty_folders(directory)
  if found:
    logging.info("Removed %d temporary files that a killed training left in %s.",
                 len(found), directory)


def _sync(path: str) -> None:
  if not files.is_remote(path):  # which is stored when it is closed
    files.sync(path)


def _remove_empty_folders(directory: str) -> None:
  temporary = f"{checkpoints.PREFIX}-[0-9]*_temp"  # TensorFlow's
  for folder in _matches(
      directory, [f"{checkpoints.SAVING}/{temporary}", temporary, checkpoints.SAVING],
      folders=True):
    if not tf.io.gfile.listdir(folder):
      tf.io.gfile.rmtree(folder)


def _matches(directory: str, patterns: Sequence[str], folders: bool = False
             ) -> Iterator[str]:
  """Yields the files, or folders, of a directory with one of these paths; no links."""
  for first, _, rest in (pattern.partition("/") for pattern in patterns):
    names = (tf.io.gfile.listdir(directory) if tf.io.gfile.isdir(directory) else ())
    for name in fnmatch.filter((name.rstrip("/") for name in names), first):
      path = os.path.join(directory, name)
      if os.path.islink(path):
        continue
      if rest:
        yield from _matches(path, [rest], folders)
      elif tf.io.gfile.isdir(path) == folders:
        yield path
