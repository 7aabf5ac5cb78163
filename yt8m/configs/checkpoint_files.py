# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The files of checkpoints: what each one has, whether it is whole, and their list.

    model.ckpt-<step>.data-*    values of the variables, as TensorFlow writes them
    model.ckpt-<step>.json      manifest: sizes and digests of the other two, and what the
                                position in the data depends on
    model.ckpt-<step>.index     names of the variables; it is written last, so a
                                checkpoint without it was never finished
    checkpoint                  list of the checkpoints, as TensorFlow writes it

Checkpoints of older versions have no manifest. They are checked by reading them.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from yt8m.core import checksum
from yt8m.core import files
from yt8m.core import literal_paths
from yt8m.core import types
from yt8m.core.types import PathLike

LIST = "checkpoint"
PREFIX = "model.ckpt"
# Other names in a list of checkpoints could be those of files of the user.
_STEP = re.compile(rf"(?:.*/)?{re.escape(PREFIX)}-([0-9]+)")


def step_of(path: str) -> int:
  """Returns the step of a checkpoint, which its path prefix ends with."""
  return int(path.rsplit("-", 1)[1])


def of_step(directory: PathLike, step: int) -> str:
  """Returns the path prefix of the checkpoint of a step."""
  return os.path.join(directory, f"{PREFIX}-{step}")


def digest(path: str) -> str:
  """Returns the beginning of a SHA-256 of the variables, wherever the directory is.

  Args:
    path: Path prefix of the checkpoint.
  """
  # Without the manifest, which training adds to checkpoints of older versions.
  names = (os.path.basename(part) for part in parts(path) if not part.endswith(".json"))
  return checksum.of_tree(os.path.dirname(path), names)[:16]


def parts(path: str) -> list[str]:
  """Returns the paths of the files of a checkpoint that are there, the index last."""
  directory, name = os.path.split(path)
  # Not by a pattern: the name of the directory may hold brackets or stars.
  pattern = re.compile(rf"{re.escape(name)}\.(data-[0-9]{{5}}-of-[0-9]{{5}}|json|index)")
  names = tf.io.gfile.listdir(directory or ".")
  return [os.path.join(directory, name) for name in sorted(
      filter(pattern.fullmatch, names), key=lambda name: (name.endswith(".index"), name))]


def readable(path: str) -> str:
  """Returns a path prefix by which TensorFlow reads a checkpoint (`literal_paths`)."""
  directory, name = os.path.split(path)
  return os.path.join(literal_paths.literal(directory), name)


def reader(path: str) -> Any:
  """Opens a checkpoint to read single variables."""
  # `tf.train.load_checkpoint` asks first whether this is a directory. In object stores,
  # the beginning of a name may be one.
  return tf.compat.v1.train.NewCheckpointReader(readable(path))


def finished(directory: PathLike) -> list[str]:
  """Returns the path prefixes of the checkpoints with an index, the newest one first."""
  if not tf.io.gfile.isdir(directory):
    return []
  found = (re.fullmatch(rf"{re.escape(PREFIX)}-([0-9]+)\.index", name)
           for name in tf.io.gfile.listdir(directory))
  steps = sorted({int(match[1]) for match in found if match}, reverse=True)
  return [of_step(directory, step) for step in steps]


def listed(directory: PathLike) -> dict[str, float]:
  """Returns `{path prefix: time}` of the checkpoints in the list, the newest one last.

  A user may have set the newest one back; those after it are left out. The files need
  not be there. If the list is missing or unreadable, the result is empty.
  """
  found, newest = _read_list(directory)
  return _until(newest, found) if newest else {}


def set_newest(directory: PathLike, path: str) -> dict[str, float]:
  """Makes a checkpoint the newest one of the list, and returns the list as `listed` does.

  Later ones leave the list but stay on the disk. Training from there saves their steps
  again, and it must not write over a checkpoint that is listed. A list that is lost is
  made anew of the checkpoints that are found.
  """
  found, newest = _read_list(directory)
  before = (list(found), newest)
  for other in [] if found else [*reversed(finished(directory)), path]:
    found[other] = tf.io.gfile.stat(f"{other}.index").mtime_nsec / 1e9
  found.setdefault(path, 0.0)
  times = _until(path, found)
  if before != (list(times), path):
    write_list(directory, times)
  return times


def write_list(directory: PathLike, times: Mapping[str, float]) -> None:
  """Writes the list; `times` are as `listed` returns them."""
  paths = list(times)
  state = tf.compat.v1.train.generate_checkpoint_state_proto(
      os.fspath(directory), paths[-1], paths, list(times.values()), min(times.values()))
  # Relative, so that the directory can be moved.
  state.all_model_checkpoint_paths[:] = map(os.path.basename, paths)
  state.model_checkpoint_path = os.path.basename(paths[-1])
  with files.atomic_write(os.path.join(directory, LIST)) as file:
    file.write(str(state))


def _read_list(directory):
  """Returns `{path prefix: time}` of the whole list, and the newest path prefix."""
  try:
    files.check_regular(os.path.join(directory, LIST))
    state = tf.train.get_checkpoint_state(os.fspath(directory))
  except (ValueError, OSError, tf.errors.OpError):
    state = None
  if state is None:
    return {}, None
  # Lists of old versions name absolute paths, which moving a directory does not change.
  *paths, newest = (os.path.join(directory, os.path.basename(path)) for path in (
      *state.all_model_checkpoint_paths, state.model_checkpoint_path))
  if not _STEP.fullmatch(newest):
    return {}, None
  times = dict.fromkeys([*paths, newest], state.last_preserved_timestamp)
  times |= zip(paths, state.all_model_checkpoint_timestamps, strict=False)
  return {path: time for path, time in times.items() if _STEP.fullmatch(path)}, newest


def _until(newest, times):
  earlier = [path for path in times if step_of(path) < step_of(newest)]
  return {path: times[path] for path in (*sorted(earlier, key=step_of), newest)}


@dataclasses.dataclass(frozen=True)
class Manifest:
  """Content of `model.ckpt-<step>.json`.

  Attributes:
    digests: `{suffix: (bytes, SHA-256)}` of the other files of the checkpoint.
    training: What the training was that wrote it (`training.resume`); empty if unknown.
  """
  digests: Mapping[str, tuple[int, str]]
  training: types.Config = dataclasses.field(default_factory=dict)

  @classmethod
  def of_files(cls, path: str, training: types.Config | None = None) -> "Manifest":
    """Returns the manifest of the files that a checkpoint has now."""
    return cls({name[len(path):]: (tf.io.gfile.stat(name).length, checksum.of_file(name))
                for name in parts(path) if name != f"{path}.json"}, training or {})

  @classmethod
  def load(cls, path: str) -> "Manifest | None":
    """Returns the manifest of a checkpoint; None for one of an older version.

    Raises:
      ValueError: The file is damaged.
    """
    if not tf.io.gfile.exists(f"{path}.json"):
      return None

    def parse(content):
      if content.pop("sha256") != _digest(content):
        raise ValueError("its own digest differs")
      return cls({suffix: (int(size), str(digest))
                  for suffix, (size, digest) in content["files"].items()},
                 dict(content["training"]))

    return files.read_json(f"{path}.json", kind="an undamaged manifest of a checkpoint",
                           remedy="Use another checkpoint", parse=parse)

  def save(self, path: str) -> None:
    """Writes `model.ckpt-<step>.json`."""
    content = {"format": 1, "files": self.digests, "training": self.training}
    files.write_json(f"{path}.json", {**content, "sha256": _digest(content)},
                     sort_keys=True)


def damage(path: str) -> str | None:
  """Returns what is wrong with the files of a checkpoint; None if they are good."""
  try:
    if not tf.io.gfile.exists(f"{path}.index"):
      return f"{os.path.basename(path)}.index is missing"
    for part in parts(path):
      files.check_regular(part)
    manifest = Manifest.load(path)
    return _unreadable(path) if manifest is None else _difference(path, manifest)
  except (ValueError, OSError, tf.errors.OpError) as error:
    return str(error)


def adopt(path: str, training: types.Config) -> None:
  """Gives a good checkpoint of an older version a manifest."""
  if not tf.io.gfile.exists(f"{path}.json"):
    Manifest.of_files(path, training).save(path)
    logging.info("Wrote %s.json: digests of a checkpoint of an older version.", path)


def _difference(path, manifest):
  for suffix, (size, digest) in manifest.digests.items():
    name = f"{os.path.basename(path)}{suffix}"
    if not tf.io.gfile.exists(path + suffix):
      return f"{name} is missing"
    found = tf.io.gfile.stat(path + suffix).length
    if found != size:
      return f"{name} has {found:,} of {size:,} bytes"
    if checksum.of_file(path + suffix) != digest:
      return f"{name} has other bytes than were written (SHA-256)"
  return None


def _unreadable(path):
  """Reads all values: TensorFlow compares each with its checksum."""
  if not any(part.startswith(f"{path}.data-") for part in parts(path)):
    return f"{os.path.basename(path)}.data-* is missing"
  try:
    values = reader(path)
    for name in values.get_variable_to_shape_map():
      values.get_tensor(name)
  except (tf.errors.OpError, ValueError, LookupError, RuntimeError) as error:
    return f"TensorFlow cannot read it: {str(error).splitlines()[0]}"
  return None


def _digest(content):
  return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
