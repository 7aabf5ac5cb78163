# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Chooses an ensemble from predictions: a search, its weights, and what members add."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from yt8m.core import types
from yt8m.eval.blending import contributions
from yt8m.eval.blending import gap
from yt8m.eval.blending import search
from yt8m.eval.blending import weighing
from yt8m.eval.blending import weights as blend_weights


@dataclasses.dataclass(frozen=True)
class Options:
  """How an ensemble is chosen: the values of the flags of these names."""
  num_models: int
  budget_bytes: int
  search: str
  beam_width: int
  averaging: str
  learn_weights: bool = True
  class_weights: bool = False
  weight_regularization: float = blend_weights.REGULARIZATION
  num_folds: int = 5
  seed: int = 0


def check(names: Sequence[str], sizes: Sequence[int], options: Options) -> None:
  """Raises the errors of `choose` that are known before anything is predicted."""
  search.check(names, sizes, options.num_models, options.budget_bytes,
               options.search, options.beam_width)
  if options.search == "repetition" and not options.learn_weights:
    raise ValueError("--search=repetition gives the members the weights by which it "
                     "chooses them: leave out --nolearn_weights.")


def choose(scorer: gap.BlendScorer, names: Sequence[str], sizes: Sequence[int],
           options: Options, progress_file: types.PathLike | None = None,
           fingerprint: str = "") -> tuple[search.SearchResult, contributions.Ensemble]:
  """Searches for members, learns their weights, and leaves out those that add nothing.

  Args:
    scorer: Predictions of the candidates.
    names: Names of the candidates.
    sizes: Numbers of bytes of the candidates.
    options: How the ensemble is chosen.
    progress_file, fingerprint: Arguments of `search.search`.
  """
  check(names, sizes, options)
  result = search.search(
      names, sizes, _weigher(scorer, options), options.num_models, options.budget_bytes,
      method=options.search, beam_width=options.beam_width, progress_file=progress_file,
      fingerprint=fingerprint)

  def refit(models, start):
    return fit(options, scorer.of(models), scorer.hits, scorer.num_positives, start)

  chosen = tuple(names.index(name) for name in result.chosen.models)
  weights = np.array(result.chosen.weights) / sum(result.chosen.weights)
  if options.search != "repetition":
    weights = refit(chosen, weights)
  single = min((node for node in result.nodes if len(node.models) == 1),
               key=search.Node.rank)
  return result, contributions.without_useless(
      scorer, chosen, weights, refit, sizes, names.index(single.models[0]))


def fit(options: Options, transformed: Sequence[np.ndarray], hits: np.ndarray,
        num_positives: float, start: np.ndarray | None = None) -> np.ndarray:
  """Returns weights of models as the search would find them, `(M,)`."""
  if not options.learn_weights:
    return np.full(len(transformed), 1 / len(transformed))
  if options.search == "repetition":
    return search.repeat(gap.BlendScorer(transformed, hits, num_positives))
  return blend_weights.learn(
      transformed, hits, num_positives, options.averaging, seed=options.seed,
      regularization=options.weight_regularization, start=start)


def _weigher(scorer: gap.BlendScorer, options: Options) -> weighing.Weigher:
  """Returns the way in which the search weighs subsets."""
  if options.learn_weights and options.search != "repetition":
    return weighing.Learned(scorer, options.weight_regularization, options.seed)
  return weighing.Counts(scorer)
