# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Builds an ensemble from stored predictions: a search, its weights, `ensemble.json`."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from yt8m.artifacts import saved_model
from yt8m.core import markdown
from yt8m.core import plots
from yt8m.core import temporaries
from yt8m.eval.blending import averaging
from yt8m.eval.blending import candidates
from yt8m.eval.blending import ensemble_file
from yt8m.eval.blending import gap
from yt8m.eval.blending import search
from yt8m.eval.blending import tree
from yt8m.eval.blending import weights as blend_weights
from yt8m.eval.predictions import aligned as aligned_predictions
from yt8m.eval.predictions import store as prediction_store

_LABELS = {"best_member": "best candidate", "equal_weights": "equal weights",
           "learned_weights": "learned weights",
           "learned_weights_held_out": "learned weights, on videos held out of learning"}

_SCORES, _PICTURE = "search-scores.json", "search.png"


@dataclasses.dataclass(frozen=True)
class Options:
  """How an ensemble is chosen: the values of the flags of these names."""
  num_models: int
  budget_bytes: int
  search: str
  beam_width: int
  averaging: str
  learn_weights: bool
  class_weights: bool
  weight_regularization: float
  num_folds: int
  seed: int


def check(models: Sequence[saved_model.SavedModel], options: Options) -> None:
  """Raises the errors of the search that are known before anything is predicted."""
  search.check([model.name for model in models], [model.bytes for model in models],
               options.num_models, options.budget_bytes, options.search,
               options.beam_width)


def check_outputs(output_dir: str) -> None:
  """Refuses a directory in which `build` would replace what no search has written.

  Raises:
    FileExistsError: ensemble.json or search.png is not ours, or a link.
  """
  remedy = "Name another --output_dir, or move the file away."
  for name in (ensemble_file.NAME, _SCORES, _PICTURE):
    if os.path.islink(os.path.join(output_dir, name)):
      raise FileExistsError(f"{os.path.join(output_dir, name)} is a symbolic link, which "
                            f"is not followed. {remedy}")
  path = os.path.join(output_dir, ensemble_file.NAME)
  if tf.io.gfile.exists(path):
    try:
      ensemble_file.EnsembleFile.load(path)
    except (ValueError, OSError) as error:
      raise FileExistsError(f"{path} is not replaced: {error} {remedy}") from error
  picture = os.path.join(output_dir, _PICTURE)
  if tf.io.gfile.exists(picture):
    searched = any(tf.io.gfile.exists(os.path.join(output_dir, name))
                   for name in (ensemble_file.NAME, _SCORES))
    if not (searched and plots.is_ours(picture)):
      raise FileExistsError(f"{picture} is not replaced: yt8m-ensemble search did not "
                            f"draw it. {remedy}")


def build(models: Sequence[saved_model.SavedModel],
          stores: Mapping[str, prediction_store.PredictionStore], output_dir: str,
          options: Options) -> str:
  """Chooses an ensemble and writes `ensemble.json` and `search.png`.

  Without matplotlib there is no picture, and the report says so.

  Args:
    models: Candidates, each with its name.
    stores: Predictions of every candidate for the same videos, by name.
    output_dir: Directory to write to, which `check_outputs` has accepted.
    options: How the ensemble is chosen.

  Returns:
    A report of members and scores, as text.
  """
  with temporaries.scratch(output_dir) as scratch:
    aligned = aligned_predictions.AlignedPredictions.from_stores(stores, scratch)
    knots = {name: averaging.rank_knots(scores).tolist()
             for name, scores in zip(aligned.names, aligned.scores, strict=True)
             if options.averaging == "ranks"}
    transformed = averaging.transform(
        aligned.scores, options.averaging, list(knots.values()) or None)
    by_name = {model.name: model for model in models}
    result = search.search(
        aligned.names, [by_name[name].bytes for name in aligned.names],
        gap.BlendScorer(transformed, aligned.hits, aligned.num_positives),
        options.num_models, options.budget_bytes, method=options.search,
        beam_width=options.beam_width,
        progress_file=os.path.join(output_dir, _SCORES),
        fingerprint=_fingerprint(stores, options.averaging))
    chosen = transformed[[aligned.names.index(name) for name in result.best]]

    def gap_of(scores):
      return gap.gap(
          np.asarray(scores, np.float32), aligned.hits, aligned.num_positives)

    singles = dict(zip(aligned.names, map(gap_of, transformed), strict=True))
    weights = np.full(len(chosen), 1 / len(chosen))
    scores = {"best_member": max(singles.values()),
              "equal_weights": gap_of(averaging.blend(chosen, weights))}
    if options.learn_weights and len(chosen) > 1:
      weights, held_out = _learn_weights(chosen, aligned, options)
      scores["learned_weights"] = gap_of(
          averaging.blend(chosen, weights, aligned.classes))
      scores["learned_weights_held_out"] = gap_of(held_out)

  folder = os.path.abspath(output_dir)
  ensemble = ensemble_file.EnsembleFile(
      tuple(ensemble_file.Member(by_name[name], weight, knots.get(name))
            for name, weight in zip(result.best, weights.tolist(), strict=True)),
      options.averaging, options.budget_bytes, scores,
      {"method": options.search, "beam_width": options.beam_width,
       "evaluations": result.evaluations,
       "candidates": [{
           "name": name, "saved_model": ensemble_file.relative_path(
               by_name[name].directory, folder),
           "bytes": by_name[name].bytes, "gap": singles[name],
           "rank_knots": knots.get(name)} for name in aligned.names],
       "nodes": [dataclasses.asdict(node) for node in result.nodes]})
  if plots.available():
    tree.draw(result, os.path.join(output_dir, _PICTURE))
    picture = " and search.png beside it"
  else:
    picture = ", but not search.png, which needs matplotlib (pip install 'yt8m[report]')"
  path = os.path.join(output_dir, ensemble_file.NAME)
  ensemble.save(path)
  return "\n".join([
      _table(ensemble, singles), *_fewer_models(result),
      f"Wrote {path}{picture}. Measure it on other videos: yt8m-ensemble evaluate "
      f"--ensemble={path}"])


def _fingerprint(stores: Mapping[str, prediction_store.PredictionStore],
                 averaging_name: str) -> str:
  """Returns a digest of everything that the scores of a search depend on."""
  content = [(name, store.model, store.records_sha256, store.top_k)
             for name, store in sorted(stores.items())]
  return hashlib.sha256(json.dumps([averaging_name, content]).encode()).hexdigest()


def _learn_weights(
    chosen: np.ndarray, aligned: aligned_predictions.AlignedPredictions,
    options: Options) -> tuple[np.ndarray, np.ndarray]:
  """Returns weights, and the blend of every video by weights learned without it."""
  data = chosen, aligned.hits, aligned.num_positives, options.averaging
  settings = {"regularization": options.weight_regularization, "seed": options.seed}
  if options.class_weights:
    settings |= {"classes": aligned.classes, "num_classes": aligned.num_classes}
  weights = blend_weights.learn(*data, **settings)
  held_out, _ = blend_weights.cross_fit(*data, num_folds=options.num_folds, **settings)
  return weights, held_out


def _table(ensemble: ensemble_file.EnsembleFile, singles: Mapping[str, float]) -> str:
  """Returns members and scores as text; GAP is of the videos that the search saw."""
  rows = [[member.model.name, f"{member.model.bytes / candidates.MIB:.2f}",
           f"{np.mean(member.weight):.4f}", f"{singles[member.model.name]:.4f}"]
          for member in ensemble.members]
  rows.append(["together", f"{ensemble.bytes / candidates.MIB:.2f}", "1.0000", "–"])
  table = markdown.make(["member", "MiB", "weight", "GAP alone"], rows, ("member",))
  scores = [f"{_LABELS[name]}: GAP {value:.4f}"
            for name, value in ensemble.scores.items()]
  return "\n".join([table, "", *scores])


def _fewer_models(result: search.SearchResult) -> list[str]:
  """Returns a line about a smaller subset that scores higher, if there is one."""
  fewer = max(result.nodes, key=lambda node: (node.gap, -len(node.models)))
  if len(fewer.models) >= len(result.best):
    return []
  return [f"{len(fewer.models)} models score higher, equal weights: GAP {fewer.gap:.4f} "
          f"(--num_models={len(fewer.models)}): {', '.join(fewer.models)}"]
