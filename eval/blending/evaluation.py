# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Compares an ensemble with the blends that it must beat, on other videos."""

import dataclasses
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.artifacts import saved_model
from yt8m.core import markdown
from yt8m.core import temporaries
from yt8m.core.types import PathLike
from yt8m.eval.blending import averaging
from yt8m.eval.blending import candidates
from yt8m.eval.blending import ensemble_file
from yt8m.eval.blending.gap import gap
from yt8m.eval.predictions import aligned as aligned_predictions
from yt8m.eval.predictions import store as prediction_store

_RESAMPLES = 200


@dataclasses.dataclass(frozen=True)
class Blend:
  """Some of the models of aligned predictions, and their weights.

  Attributes:
    name: Name in the table.
    models: Names of the models.
    weights: Weights of the models, `(M,)` or `(M, C)`; None for equal ones.
  """
  name: str
  models: tuple[str, ...]
  weights: np.ndarray | None = None

  def scores(self, aligned: aligned_predictions.AlignedPredictions,
             transformed: np.ndarray) -> np.ndarray:
    """Returns the blend of transformed scores (`averaging.transform`), `(n, U)`."""
    chosen = [aligned.names.index(model) for model in self.models]
    weights = self.weights
    if weights is None:
      weights = np.full(len(chosen), 1 / len(chosen))
    return averaging.blend(transformed[chosen], weights, aligned.classes)


@dataclasses.dataclass(frozen=True)
class Comparison:
  """GAP of a blend, its difference to the first blend, and its standard error."""
  gap: float
  difference: float
  error: float


def compare(blends: Sequence[Blend], aligned: aligned_predictions.AlignedPredictions,
            transformed: np.ndarray, seed: int = 0) -> list[Comparison]:
  """Compares the GAP of blends on the same videos.

  The standard errors come from 200 bootstrap samples of the videos, the same for all
  blends. They show the variation between videos, but not between training seeds.

  Args:
    blends: Blends to compare.
    aligned: Predictions of all their models.
    transformed: Transformed scores of these predictions, from `averaging.transform`.
    seed: Seed of the bootstrap samples.
  """
  scores = [blend.scores(aligned, transformed) for blend in blends]
  gaps = np.array([gap(s, aligned.hits, aligned.num_positives) for s in scores])
  rng = np.random.default_rng(seed)
  num_videos = len(aligned.hits)
  samples = np.empty((_RESAMPLES, len(blends)))
  for sample in samples:
    rows = rng.integers(num_videos, size=num_videos)
    hits, num_positives = aligned.hits[rows], int(aligned.num_labels[rows].sum())
    sample[:] = [gap(s[rows], hits, num_positives) for s in scores]
  errors = (samples - samples[:, :1]).std(axis=0, ddof=1)
  return [Comparison(*values) for values in zip(
      gaps.tolist(), (gaps - gaps[0]).tolist(), errors.tolist(), strict=True)]


class Evaluation:
  """An ensemble of `yt8m-ensemble search` beside the best single candidates.

  Args:
    path: Path of the ensemble.json.

  Attributes:
    folder: Directory of the file.
    models: SavedModels whose predictions are compared, each with its name.

  Raises:
    FileNotFoundError: There is no such file.
    ValueError: The file is not an ensemble, or does not hold its search.
  """

  def __init__(self, path: PathLike):
    self.folder = os.path.dirname(os.path.abspath(path))
    self._ensemble = ensemble_file.EnsembleFile.load(path)
    if "candidates" not in self._ensemble.search:
      raise ValueError(f"{path} does not contain its search, so there is nothing to "
                       "compare with. Name a file that yt8m-ensemble search wrote.")
    self._candidates: dict[str, dict[str, Any]] = {
        entry["name"]: entry for entry in self._ensemble.search["candidates"]}
    self._members = tuple(member.model.name for member in self._ensemble.members)
    if others := sorted({*self._members} - self._candidates.keys()):
      raise ValueError(f"{path}: its members {', '.join(others)} are not among the "
                       "candidates of its search. Search again.")
    by_gap = sorted(self._candidates, key=lambda name: -self._candidates[name]["gap"])
    self._best = tuple(by_gap[:len(self._members)])
    self.models = [
        saved_model.SavedModel(ensemble_file.absolute_path(
            self._candidates[name]["saved_model"], self.folder), name)
        for name in sorted({*self._members, *self._best})]

  def report(self, stores: Mapping[str, prediction_store.PredictionStore],
             seed: int) -> str:
    """Returns GAP of every blend, as text.

    Args:
      stores: Predictions of `models` for the same videos, by name.
      seed: Seed of the bootstrap samples.
    """
    with temporaries.scratch(self.folder) as scratch:
      aligned = aligned_predictions.AlignedPredictions.from_stores(stores, scratch)
      knots = [self._candidates[name].get("rank_knots", ()) for name in aligned.names]
      transformed = averaging.transform(aligned.scores, self._ensemble.averaging, knots)
      blends = [
          Blend(f"the best candidate, {self._best[0]}", self._best[:1]),
          Blend(f"the {len(self._best)} best, equal weights", self._best),
          Blend("the ensemble, equal weights", self._members),
          Blend("the ensemble", self._members, self._ensemble.weights)]
      comparisons = compare(blends, aligned, transformed, seed)
    rows = []
    for blend, comparison in zip(blends, comparisons, strict=True):
      total = sum(self._candidates[name]["bytes"] for name in blend.models)
      rows.append([blend.name, str(len(blend.models)), f"{total / candidates.MIB:.2f}",
                   f"{comparison.gap:.4f}", "–" if blend is blends[0]
                   else markdown.plus_minus(comparison.difference, comparison.error,
                                            "+.4f")])
    table = markdown.make(["blend", "models", "MiB", "GAP", "difference"], rows,
                          ("blend",))
    return (f"{len(aligned.hits):,} videos; the best are those of the videos that the "
            f"search saw.\n\n{table}")
