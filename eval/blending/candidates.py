# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The candidates of an ensemble: SavedModels, their names and their sizes on disk."""

import os
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Sequence

from yt8m.artifacts import saved_model
from yt8m.core import paths

MIB = 2**20
_UNITS = {"": 1, "KIB": 2**10, "MIB": MIB, "GIB": 2**30}


def find(patterns: Iterable[str]) -> list[saved_model.SavedModel]:
  """Returns the SavedModels that globs match, sorted by path, each with its name.

  Args:
    patterns: Globs of directories that `yt8m-export` wrote.

  Raises:
    FileNotFoundError: A pattern matches no SavedModel.
    ValueError: Two of them are the same model.
  """
  directories = set()
  for pattern in patterns:
    matched = [path for path in paths.glob(pattern)
               if saved_model.SavedModel(path).exists]
    if not matched:
      raise FileNotFoundError(
          f"--members={pattern} matches no SavedModel: name directories that yt8m-export "
          "wrote.")
    directories.update(map(os.path.abspath, matched))
  ordered = sorted(directories)
  models = [saved_model.SavedModel(directory, name)
            for directory, name in zip(ordered, names(ordered), strict=True)]
  seen = {}
  for model in models:
    twin = seen.setdefault(model.fingerprint, model)
    if twin is not model:
      raise ValueError(
          f"{model} and {twin} are the same model, graph and weights: blending it with "
          "itself gains nothing. Leave one out of --members.")
  return models


def names(directories: Sequence[str]) -> list[str]:
  """Returns what distinguishes each path: its parts that not all of them share.

  >>> from yt8m.eval.blending import candidates
  >>> candidates.names(["/m/blstm/1", "/m/netvlad/1"])
  ['blstm', 'netvlad']
  """
  parts = [pathlib.PurePath(directory).parts for directory in directories]
  # At least one part is left of each.
  longest = min(map(len, parts)) - 1
  first = min(_num_shared(parts), longest)
  last = min(_num_shared([path[::-1] for path in parts]), longest - first)
  return ["-".join(path[first:len(path) - last]) for path in parts]


def parse_bytes(text: str) -> int:
  """Returns the number of bytes of a value of `--budget_bytes`.

  >>> from yt8m.eval.blending import candidates
  >>> [candidates.parse_bytes(text) for text in ("1GiB", "167.5 MiB", "1048576")]
  [1073741824, 175636480, 1048576]

  Raises:
    ValueError: The text is not a number of bytes.
  """
  match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
  if not match or match[2].upper() not in _UNITS:
    raise ValueError(f"--budget_bytes={text}: give a number of bytes, or a number with "
                     "KiB, MiB or GiB, such as 1GiB.")
  return int(float(match[1]) * _UNITS[match[2].upper()])


def _num_shared(paths: Sequence[tuple[str, ...]]) -> int:
  """Returns how many parts all paths begin with."""
  # Despite its name, commonprefix takes any sequences.
  return len(os.path.commonprefix(paths))
