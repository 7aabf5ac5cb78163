# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Compares an ensemble with the blends that it must beat, on other videos."""

import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from yt8m.artifacts import saved_model
from yt8m.core import markdown
from yt8m.core.types import PathLike
from yt8m.eval.blending import averaging
from yt8m.eval.blending import candidates
from yt8m.eval.blending import comparison
from yt8m.eval.blending import ensemble_file
from yt8m.eval.predictions import aligned as aligned_predictions
from yt8m.eval.predictions import store as prediction_store


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
      raise ValueError(f"{path} does not say what was searched, so that there is nothing "
                       "to compare with: give one that search wrote.")
    self._candidates: dict[str, dict[str, Any]] = {
        entry["name"]: entry for entry in self._ensemble.search["candidates"]}
    self._members = tuple(member.model.name for member in self._ensemble.members)
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
    with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
      aligned = aligned_predictions.AlignedPredictions.from_stores(
          stores, os.path.join(scratch, "aligned"))
      knots = None
      if self._ensemble.averaging == "ranks":
        knots = [np.array(self._candidates[name]["rank_knots"])
                 for name in aligned.names]
      transformed = averaging.transform(aligned.scores, self._ensemble.averaging, knots)
      blends = [
          comparison.Blend(f"the best candidate, {self._best[0]}", self._best[:1]),
          comparison.Blend(f"the {len(self._best)} best, equal weights", self._best),
          comparison.Blend("the ensemble, equal weights", self._members),
          comparison.Blend("the ensemble", self._members, self._ensemble.weights)]
      compared = comparison.compare(blends, aligned, transformed, seed)
    rows = []
    for blend, (gap, difference, error) in zip(blends, compared, strict=True):
      total = sum(self._candidates[name]["bytes"] for name in blend.models)
      rows.append([blend.name, str(len(blend.models)), f"{total / candidates.MIB:.2f}",
                   f"{gap:.4f}", "–" if blend is blends[0]
                   else markdown.plus_minus(difference, error, "+.4f")])
    table = markdown.make(["blend", "models", "MiB", "GAP", "difference"], rows,
                          ("blend",))
    return (f"{len(aligned.hits):,} videos; the best are those of the videos that the "
            f"search saw.\n\n{table}")
