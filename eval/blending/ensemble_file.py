# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`ensemble.json`: which models are blended, how, and how that was found.

    {"format": 1, "averaging": "probabilities", "budget_bytes": 1073741824,
     "members": [{"name": …, "saved_model": …, "bytes": …, "weight": 0.2186}, …],
     "scores": {…}, "search": {…}}
"""

import dataclasses
import json
import os

import numpy as np

from yt8m.core import files

_FORMAT = 1
# Of the sum of the weights: published ones are rounded to four digits.
_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class EnsembleMember:
  """One model of an ensemble.

  Attributes:
    name: among the candidates.
    saved_model: its SavedModel; in the file relative to the file.
    bytes: of that directory.
    weight: w_m, or a list of C numbers, one a class.
    rank_knots: of `averaging.rank_knots`, if ranks are averaged.
  """
  name: str
  saved_model: str
  bytes: int
  weight: float | list
  rank_knots: list | None = None


@dataclasses.dataclass(frozen=True)
class EnsembleFile:
  """The contents of `ensemble.json`.

  Attributes:
    members: of `EnsembleMember`.
    averaging: one of `averaging.AVERAGINGS`.
    budget_bytes: that the members together must not exceed, or None.
    scores: GAP of the blend, of uniform weights, of the best member, …, for the record.
    search: how the members were found: the whole tree, for the record.
  """
  members: tuple
  averaging: str = "probabilities"
  budget_bytes: int | None = None
  scores: dict = dataclasses.field(default_factory=dict)
  search: dict = dataclasses.field(default_factory=dict)

  @property
  def weights(self):
    """`(M,)`, or `(M, num_classes)`; they sum to 1 over the members."""
    return np.array([member.weight for member in self.members], np.float64)

  @property
  def bytes(self):
    return sum(member.bytes for member in self.members)

  def save(self, path):
    """Writes the file, as a whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    members = [
        {**{key: value for key, value in dataclasses.asdict(member).items()
            if value is not None},
         "saved_model": os.path.relpath(member.saved_model, folder)}
        for member in self.members]
    with files.atomic_write(path) as file:
      json.dump({"format": _FORMAT, **dataclasses.asdict(self), "members": members},
                file, indent=1)
      file.write("\n")

  @classmethod
  def load(cls, path):
    """Reads what `save` wrote.

    Raises:
      FileNotFoundError: there is no file at `path`.
      ValueError: it is not an ensemble, or its weights do not sum to 1.
    """
    folder = os.path.dirname(os.path.abspath(path))
    with files.open_to_read(path) as file:
      text = file.read()
    try:
      content = json.loads(text)
      if content.pop("format") != _FORMAT:
        raise KeyError("format")
      members = tuple(
          EnsembleMember(**{**member, "saved_model": os.path.normpath(
              os.path.join(folder, member["saved_model"]))})
          for member in content.pop("members"))
      ensemble = cls(members, **content)
      sums = ensemble.weights.sum(axis=0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
      raise ValueError(f"{path} is no ensemble that yt8m-ensemble wrote ({error!r}): "
                       "write it again.") from error
    if not members or np.abs(sums - 1.0).max() > _TOLERANCE or ensemble.weights.min() < 0:
      raise ValueError(f"{path}: the weights of the {len(members)} members must be at "
                       "least 0 and sum to 1. Correct them, or search again.")
    return ensemble
