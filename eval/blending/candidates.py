# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The candidates of an ensemble: SavedModels, their names and their sizes on disk."""

import dataclasses
import os
import pathlib

import tensorflow as tf

from yt8m.core import files
from yt8m.eval.predictions import members

SAVED_MODEL = "saved_model.pb"


@dataclasses.dataclass(frozen=True)
class Candidate:
  """A trained model that may become a member.

  Attributes:
    name: what tells its path from the others'.
    saved_model: its directory.
    bytes: of all files in it, as they lie on disk.
    fingerprint: of its graph and weights.
  """
  name: str
  saved_model: str
  bytes: int
  fingerprint: str


def find(patterns):
  """Returns the candidates that globs match, by name.

  Args:
    patterns: globs of directories that `yt8m-export` wrote.

  Raises:
    FileNotFoundError: a pattern matches no SavedModel.
    ValueError: two of them are the same model.
  """
  directories = set()
  for pattern in patterns:
    matched = [path for path in tf.io.gfile.glob(pattern)
               if tf.io.gfile.exists(os.path.join(path, SAVED_MODEL))]
    if not matched:
      raise FileNotFoundError(
          f"--members={pattern} matches no SavedModel: name directories that yt8m-export "
          "wrote.")
    directories.update(map(os.path.abspath, matched))
  directories = sorted(directories)
  candidates = [describe(name, directory) for name, directory in zip(
      names(directories), directories, strict=True)]
  seen = {}
  for candidate in candidates:
    twin = seen.setdefault(candidate.fingerprint, candidate)
    if twin is not candidate:
      raise ValueError(
          f"{candidate.saved_model} and {twin.saved_model} are the same model, graph and "
          "weights: blending it with itself gains nothing. Leave one out of --members.")
  return candidates


def describe(name, directory):
  """The `Candidate` of a SavedModel.

  Raises:
    FileNotFoundError: there is none in `directory`.
  """
  fingerprint = members.fingerprint(directory)
  return Candidate(name, directory, files.bytes_on_disk(directory), fingerprint)


def names(directories):
  """What tells each path from the others: its parts that not all of them share.

  >>> names(["/m/blstm/1", "/m/netvlad/1"])
  ['blstm', 'netvlad']
  """
  paths = [pathlib.PurePath(directory).parts for directory in directories]
  # At least one part is left of each.
  longest = min(map(len, paths)) - 1
  first = min(_num_shared(paths), longest)
  last = min(_num_shared([path[::-1] for path in paths]), longest - first)
  return ["-".join(path[first:len(path) - last]) for path in paths]


def _num_shared(paths):
  """How many parts all paths begin with."""
  return len(os.path.commonprefix(paths))  # of any sequences, not of strings alone
