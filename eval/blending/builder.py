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
from absl import logging

from yt8m.artifacts import saved_model
from yt8m.core import markdown
from yt8m.core import plots
from yt8m.core import temporaries
from yt8m.eval.blending import averaging
from yt8m.eval.blending import candidates
from yt8m.eval.blending import choosing
from yt8m.eval.blending import class_weights
from yt8m.eval.blending import contributions
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
          options: choosing.Options) -> str:
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
    sizes = [by_name[name].bytes for name in aligned.names]
    scorer = gap.BlendScorer(transformed, aligned.hits, aligned.num_positives)
    result, found = choosing.choose(
        scorer, aligned.names, sizes, options, os.path.join(output_dir, _SCORES),
        _fingerprint(stores, options.averaging))
    singles = [scorer((), (), i) for i in range(len(sizes))]
    chosen = scorer.of(found.models)

    def gap_of(scores):
      return gap.gap(scores, aligned.hits, aligned.num_positives)

    weights = found.weights
    scores = {"best_member": max(singles), "equal_weights": gap_of(
        averaging.blend(chosen, np.full(len(chosen), 1 / len(chosen))))}
    if options.learn_weights and len(chosen) > 1:
      weights, held_out = _learn_weights(chosen, aligned, found, options)
      scores["learned_weights"] = gap_of(
          averaging.blend(chosen, weights, aligned.classes))
      scores["learned_weights_held_out"] = gap_of(held_out)

  folder = os.path.abspath(output_dir)
  members = [aligned.names[i] for i in found.models]
  ensemble = ensemble_file.EnsembleFile(
      tuple(ensemble_file.Member(by_name[name], weight, knots.get(name))
            for name, weight in zip(members, weights.tolist(), strict=True)),
      options.averaging, options.budget_bytes, scores,
      {"method": options.search, "beam_width": options.beam_width,
       "evaluations": len(result.nodes),
       "adds": dict(zip(members, found.adds, strict=True)),
       "candidates": [{
           "name": name, "saved_model": ensemble_file.relative_path(
               by_name[name].directory, folder),
           "bytes": by_name[name].bytes, "gap": single,
           "rank_knots": knots.get(name)}
           for name, single in zip(aligned.names, singles, strict=True)],
       "nodes": [dataclasses.asdict(node) for node in result.nodes]})
  if plots.available():
    tree.draw(result, os.path.join(output_dir, _PICTURE))
    picture = " and search.png beside it"
  else:
    picture = ", but not search.png, which needs matplotlib (pip install 'yt8m[report]')"
  path = os.path.join(output_dir, ensemble_file.NAME)
  ensemble.save(path)
  return "\n".join([
      _table(ensemble, dict(zip(aligned.names, singles, strict=True))),
      *_left_out(result, members),
      f"Wrote {path}{picture}. Measure it on other videos: yt8m-ensemble evaluate "
      f"--ensemble={path}"])


def _fingerprint(stores: Mapping[str, prediction_store.PredictionStore],
                 averaging_name: str) -> str:
  """Returns a digest of everything that the scores of a search depend on."""
  content = [(name, store.model, store.records_sha256, store.top_k)
             for name, store in sorted(stores.items())]
  return hashlib.sha256(json.dumps([averaging_name, content]).encode()).hexdigest()


def _learn_weights(
    chosen: Sequence[np.ndarray], aligned: aligned_predictions.AlignedPredictions,
    found: contributions.Ensemble, options: choosing.Options,
    ) -> tuple[np.ndarray, np.ndarray]:
  """Returns weights, and the blend of every video by weights learned without it."""
  def by_class(weights, transformed, hits, classes):
    return class_weights.learn_by_class(
        transformed, hits, classes, aligned.num_classes, options.averaging, weights)

  def fit(transformed, hits, num_positives, classes):
    weights = choosing.fit(options, transformed, hits, num_positives)
    return (by_class(weights, transformed, hits, classes) if options.class_weights
            else weights)

  held_out, _ = blend_weights.cross_fit(
      chosen, aligned.hits, aligned.num_positives, fit,
      num_folds=min(options.num_folds, len(aligned.hits)), seed=options.seed,
      classes=aligned.classes)
  weights = found.weights
  if options.class_weights:
    weights = by_class(weights, chosen, aligned.hits, aligned.classes)
    if gap.gap(averaging.blend(chosen, weights, aligned.classes), aligned.hits,
               aligned.num_positives) < found.gap:
      logging.warning("Weights by class would be worse: all classes have the same.")
      weights = found.weights
  return weights, held_out


def _table(ensemble: ensemble_file.EnsembleFile, singles: Mapping[str, float]) -> str:
  """Returns members and scores as text; GAP is of the videos that the search saw."""
  rows = [[member.model.name, f"{member.model.bytes / candidates.MIB:.2f}",
           f"{np.mean(member.weight):.4f}", f"{singles[member.model.name]:.4f}",
           f"{ensemble.search['adds'][member.model.name]:+.4f}"]
          for member in ensemble.members]
  rows.append(["together", f"{ensemble.bytes / candidates.MIB:.2f}", "1.0000", "–", "–"])
  table = markdown.make(
      ["member", "MiB", "weight", "GAP alone", "adds"], rows, ("member",))
  scores = [f"{_LABELS[name]}: GAP {value:.4f}"
            for name, value in ensemble.scores.items()]
  return "\n".join([table, "", "adds: what GAP loses without the member, with new "
                    "weights for the others", *scores])


def _left_out(result: search.SearchResult, members: Sequence[str]) -> list[str]:
  """Returns a line about the models that the search chose and that add nothing."""
  others = [name for name in result.chosen.models if name not in members]
  return [f"Left out, as they add less than {contributions.LEAST_GAIN:g}: "
          f"{', '.join(others)}"] if others else []
