# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`ensemble.json`: which models are blended, how, and how they were found.

    {"format": 1, "averaging": "probabilities", "budget_bytes": 1073741824,
     "members": [{"name": …, "saved_model": …, "bytes": …, "weight": 0.2186}, …],
     "scores": {…}, "search": {…}}

`yt8m-ensemble search` writes it, and `yt8m-export --ensemble` puts a copy without the
search into the SavedModel. Paths are relative to the file, so that it can be moved
together with its members.
"""

import dataclasses
import os
from typing import Any

import numpy as np

from yt8m.artifacts import saved_model
from yt8m.core import fields
from yt8m.core import files
from yt8m.core.types import PathLike
from yt8m.eval.blending import averaging

NAME = "ensemble.json"
_FORMAT = 1
# Bound on the error of the sum of the weights: published ones have four digits.
_TOLERANCE = 1e-3
_NUMBERS = fields.list_of(fields.NUMBER, "finite numbers")
# The predictions of a model are written into a directory of its name.
_MODEL = fields.Kind("a name of a model, without slashes", lambda value: (
    isinstance(value, str) and value not in ("", ".", "..") and value.isprintable()
    and "/" not in value))


@dataclasses.dataclass(frozen=True)
class Member:
  """One model of an ensemble.

  Attributes:
    model: SavedModel with its name, which `yt8m-ensemble search` chose.
    weight: Weight w_m, or a list of num_classes weights, one a class.
    rank_knots: Knots of `averaging.rank_knots`, if ranks are averaged.
    stored_as: Format of the weights, which only the copy in a SavedModel says.
  """
  model: saved_model.SavedModel
  weight: float | list[float]
  rank_knots: list[float] | None = None
  stored_as: str | None = None

  def to_config(self, folder: str) -> dict[str, Any]:
    """Returns the entry of a file that lies in `folder`."""
    entry = {"name": self.model.name,
             "saved_model": relative_path(self.model.directory, folder),
             "bytes": self.model.bytes, "weight": self.weight,
             "rank_knots": self.rank_knots, "stored_as": self.stored_as}
    return {key: value for key, value in entry.items() if value is not None}

  @classmethod
  def from_config(cls, entry: dict[str, Any], folder: str) -> "Member":
    """Reads an entry of `to_config`; `bytes` are for people, and not used."""
    fields.check(entry, {"name": _MODEL, "saved_model": fields.NAME,
                         "bytes": fields.SIZE, "weight": fields.NUMBER | _NUMBERS},
                 {"rank_knots": _NUMBERS | fields.NULL,
                  "stored_as": fields.TEXT | fields.NULL}, "members: ")
    others = {key: value for key, value in entry.items()
              if key not in ("name", "saved_model", "bytes")}
    return cls(saved_model.SavedModel(
        absolute_path(entry["saved_model"], folder), entry["name"]), **others)


@dataclasses.dataclass(frozen=True)
class EnsembleFile:
  """The contents of `ensemble.json`.

  Attributes:
    members: Members of the ensemble.
    averaging: One of `averaging.AVERAGINGS`.
    budget_bytes: Bytes that the members together must not exceed, or None.
    scores: GAP of the blend, of equal weights, of the best member, …, for the record.
    search: All candidates and subsets of the search, for `yt8m-ensemble evaluate`.
  """
  members: tuple[Member, ...]
  averaging: str = "probabilities"
  budget_bytes: int | None = None
  scores: dict[str, float] = dataclasses.field(default_factory=dict)
  search: dict[str, Any] = dataclasses.field(default_factory=dict)

  @property
  def weights(self) -> np.ndarray:
    """Weights, (M,) or (M, num_classes), that sum to 1 over the M members."""
    return np.array([member.weight for member in self.members], np.float64)

  @property
  def bytes(self) -> int:
    """Number of bytes of all members together."""
    return sum(member.model.bytes for member in self.members)

  def save(self, path: PathLike) -> None:
    """Writes the file, as a whole or not at all."""
    folder = _folder(path)
    files.write_json(path, {
        "format": _FORMAT,
        "members": [member.to_config(folder) for member in self.members],
        "averaging": self.averaging, "budget_bytes": self.budget_bytes,
        "scores": self.scores, "search": self.search}, indent=1)

  @classmethod
  def load(cls, path: PathLike) -> "EnsembleFile":
    """Reads a file that `save` wrote.

    Raises:
      FileNotFoundError: There is no file at `path`.
      ValueError: The file is not an ensemble, or its weights do not sum to 1.
    """
    folder = _folder(path)

    def parse(content: dict[str, Any]) -> "EnsembleFile":
      fields.check(
          content, {"format": fields.one_of([_FORMAT]),
                    "members": fields.list_of(fields.OBJECT, "objects")},
          {"averaging": fields.one_of(averaging.AVERAGINGS),
           "budget_bytes": fields.SIZE | fields.NULL, "search": fields.OBJECT,
           "scores": fields.object_of(fields.NUMBER, "finite numbers")})
      _check_candidates(content.get("search", {}))
      del content["format"]
      ensemble = cls(**{**content, "members": tuple(
          Member.from_config(entry, folder) for entry in content["members"])})
      weights = ensemble.weights
      if (not weights.size or weights.min() < 0
          or np.abs(weights.sum(axis=0) - 1.0).max() > _TOLERANCE):
        raise ValueError(f"the weights of its {len(weights)} members are not all at "
                         "least 0, or do not sum to 1")
      return ensemble

    return files.read_json(path, kind="an ensemble that yt8m-ensemble wrote",
                           remedy="Correct it, or search again", parse=parse)


def _check_candidates(search: dict[str, Any]) -> None:
  fields.check(search, {}, {"candidates": fields.list_of(fields.OBJECT, "objects")})
  for entry in search.get("candidates", ()):
    fields.check(entry, {"name": _MODEL, "saved_model": fields.NAME,
                         "bytes": fields.SIZE, "gap": fields.NUMBER},
                 {"rank_knots": _NUMBERS | fields.NULL}, "candidates: ")


def _folder(path: PathLike) -> str:
  # abspath would make a local path of gs://….
  return os.path.dirname(os.fspath(path) if files.is_remote(path)
                         else os.path.abspath(path))


def relative_path(path: str, folder: str) -> str:
  """Returns a path as it is written into a file of `folder`; remote ones stay."""
  if files.is_remote(path):
    return path
  # From a remote folder, no relative path leads to a local file.
  return os.path.abspath(path) if files.is_remote(folder) else os.path.relpath(
      path, folder)


def absolute_path(path: str, folder: str) -> str:
  """Returns a path of `relative_path` as one that holds anywhere."""
  return path if files.is_remote(path) else os.path.normpath(os.path.join(folder, path))
