# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""GAP of ways to choose an ensemble, on videos that the choice has not seen.

  python -m benchmarks.ensemble_weights --predictions=ensemble/predictions

Takes the predictions of `yt8m-ensemble predict` or `search`, a store for each candidate.
The videos are split into two halves at random; each half chooses, and the other one
scores the choice. ± is the standard error of the mean over the splits, which all have
the same videos: it does not include the variation between videos.
"""

import os
import tempfile
from collections.abc import Callable

import numpy as np
from absl import app
from absl import flags
from absl import logging

from yt8m.core import markdown
from yt8m.eval.blending import averaging
from yt8m.eval.blending import choosing
from yt8m.eval.blending import gap
from yt8m.eval.blending import search
from yt8m.eval.blending import weighing
from yt8m.eval.blending import weights as blend_weights
from yt8m.eval.predictions import aligned as aligned_predictions
from yt8m.eval.predictions import store as prediction_store

_PREDICTIONS = flags.DEFINE_string(
    "predictions", None, "Directory with a store for each candidate.", required=True)
_SPLITS = flags.DEFINE_integer("num_splits", 3, "Splits into two halves.", 1)
_MODELS = flags.DEFINE_integer("num_models", 6, "Most members.", 1)
_WIDTH = flags.DEFINE_integer("beam_width", 10, "Subsets kept at each level.", 1)
_AVERAGING = flags.DEFINE_enum("averaging", "probabilities", averaging.AVERAGINGS,
                               "Form of the scores to average.")
_LAMBDA = flags.DEFINE_float("weight_regularization", blend_weights.REGULARIZATION,
                             "λ of learned weights.", 0.0)

# Indices of the models, and their weights.
Chosen = tuple[tuple[int, ...], np.ndarray]


def best_single(scorer: gap.BlendScorer) -> Chosen:
  scores = [scorer((), (), i) for i in range(len(scorer.transformed))]
  return (int(np.argmax(scores)),), np.ones(1)


def fixed_number(scorer: gap.BlendScorer, learns: bool) -> Chosen:
  """What version 1 did: as many models as allowed, chosen with equal weights."""
  names = _names(scorer)
  nodes = search.search(names, [1] * len(names), weighing.Counts(scorer), _MODELS.value,
                        beam_width=_WIDTH.value).nodes
  largest = max(len(node.models) for node in nodes)
  best = min((node for node in nodes if len(node.models) == largest),
             key=search.Node.rank)
  models = tuple(map(int, best.models))
  return models, choosing.fit(_options("beam", learns), scorer.of(models), scorer.hits,
                              scorer.num_positives)


def chosen(scorer: gap.BlendScorer, method: str, learns: bool = True) -> Chosen:
  names = _names(scorer)
  _, found = choosing.choose(scorer, names, [1] * len(names), _options(method, learns))
  return found.models, found.weights


WAYS: dict[str, Callable[[gap.BlendScorer], Chosen]] = {
    "the best candidate": best_single,
    "a fixed number, equal weights": lambda scorer: fixed_number(scorer, False),
    "a fixed number, weights learned afterwards":
        lambda scorer: fixed_number(scorer, True),
    "--search=beam --nolearn_weights": lambda scorer: chosen(scorer, "beam", False),
    "--search=beam": lambda scorer: chosen(scorer, "beam"),
    "--search=repetition": lambda scorer: chosen(scorer, "repetition")}


def halves(aligned: aligned_predictions.AlignedPredictions, seed: int,
           ) -> list[gap.BlendScorer]:
  """Returns the two halves of a random split of the videos."""
  rows = np.random.default_rng(seed).permutation(len(aligned.hits))
  transformed = averaging.transform(aligned.scores, _AVERAGING.value)
  return [gap.BlendScorer(np.ascontiguousarray(transformed[:, half]), aligned.hits[half],
                          int(aligned.num_labels[half].sum()))
          for half in np.array_split(rows, 2)]


def _names(scorer: gap.BlendScorer) -> list[str]:
  return [f"{i:04}" for i in range(len(scorer.transformed))]


def _options(method: str, learns: bool) -> choosing.Options:
  return choosing.Options(
      _MODELS.value, 2**62, method, _WIDTH.value, _AVERAGING.value, learn_weights=learns,
      weight_regularization=_LAMBDA.value)


def main(_):
  logging.set_verbosity(logging.WARNING)
  root = _PREDICTIONS.value
  stores = {name: prediction_store.PredictionStore.open(os.path.join(root, name))
            for name in sorted(os.listdir(root))}
  figures = {way: [] for way in WAYS}  # models, GAP inside and outside
  with tempfile.TemporaryDirectory() as folder:
    aligned = aligned_predictions.AlignedPredictions.from_stores(stores, folder)
    for seed in range(_SPLITS.value):
      pair = halves(aligned, seed)
      for inside, outside in (pair, pair[::-1]):
        for way, choose in WAYS.items():
          models, weights = choose(inside)
          figures[way].append([len(models), *(
              gap.gap(averaging.blend(half.of(models), weights), half.hits,
                      half.num_positives) for half in (inside, outside))])
  rows = []
  for way, values in figures.items():
    models, inside, outside = np.mean(values, axis=0)
    # The two directions of a split are one figure.
    means = np.reshape([value[2] for value in values], (-1, 2)).mean(axis=1)
    error = means.std(ddof=1) / len(means)**0.5 if len(means) > 1 else np.nan
    rows.append([way, f"{models:.1f}", f"{inside:.4f}",
                 markdown.plus_minus(outside, error, ".4f")])
  print(f"{len(stores)} candidates, {len(aligned.hits):,} videos, {_SPLITS.value} "
        f"splits\n\n" + markdown.make(
            ["way", "models", "GAP inside", "GAP outside"], rows, ("way",)))


if __name__ == "__main__":
  app.run(main)
