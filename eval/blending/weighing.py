# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How the subsets of a search are weighed: by counts, or by learned weights.

A search extends a parent, whose weights it knows, by one model, and refines the best
subsets of each level. The scores that it ranks are those of the weights that the
ensemble will have.
"""

from typing import Protocol

from yt8m.eval.blending import weights as blend_weights
from yt8m.eval.blending.gap import BlendScorer

# Shares of a new model among l models, as multiples of 1/l.
_SHARES = (0.5, 1.0, 0.25)
# Amounts of the exchanges within a search; finer ones would not change the ranks.
_COARSE = (0.1, 0.05)


class Weigher(Protocol):
  """What a search needs of a way to weigh models.

  Attributes:
    name: Name of the way and of all its settings, for the file of scores.
    refines: Whether `refine` does anything.
  """
  name: str
  refines: bool

  def extend(self, models: tuple[int, ...], weights: tuple[float, ...], added: int,
             ) -> tuple[tuple[float, ...], float]:
    """Returns the weights of `models` and then of `added`, and the score.

    Args:
      models: Indices of the models of the parent, without repetition.
      weights: Weights of the parent, of any sum.
      added: Index of the model to add. If it is in `models`, its weight grows.
    """
    ...

  def refine(self, models: tuple[int, ...], weights: tuple[float, ...],
             ) -> tuple[tuple[float, ...], float]:
    """Returns better weights than these, and their score."""
    ...


class Counts:
  """Weights that count how often a model was added: equal ones, unless models repeat."""
  name = "counts"
  refines = False

  def __init__(self, scorer: BlendScorer):
    self._scorer = scorer

  def extend(self, models, weights, added):
    score = self._scorer(models, weights, added)
    if added not in models:
      return (*weights, 1.0), score
    return tuple(weight + (model == added)
                 for model, weight in zip(models, weights, strict=True)), score

  def refine(self, models, weights):
    # The search does not ask, because `refines` is False.
    raise NotImplementedError


class Learned:
  """Weights that maximise the objective of `weights.learn`.

  A new model gets the best of a few shares of the blend, while the other weights keep
  their proportions; exchanges between all models refine them.

  Args:
    scorer: Scorer of the candidates.
    regularization: Penalty λ for leaving equal weights.
    seed: Seed of the order in which exchanges are tried.
  """
  refines = True

  def __init__(self, scorer: BlendScorer, regularization: float, seed: int):
    self._scorer, self._seed = scorer, seed
    self._objective = blend_weights.Objective(
        scorer.hits, scorer.num_positives, regularization)
    self.name = f"learned, λ={regularization!r}, seed {seed}"

  def extend(self, models, weights, added):
    if not models:
      return (1.0,), self._scorer((), (), added)

    def grow(share):
      grown = *(weight * (1 - share) for weight in weights), share
      gap = self._scorer(models, weights, added, share / (1 - share))
      return gap - self._objective.penalty(grown), grown

    shares = [share / (len(models) + 1) for share in _SHARES]
    half, equal = grow(shares[0]), grow(shares[1])
    # GAP has about one peak in between, so that only one more share can be better.
    value, grown = equal if equal[0] > half[0] else max(half, grow(shares[2]))
    return grown, value

  def refine(self, models, weights):
    refined, value = blend_weights.exchange(
        self._scorer.of(models), self._objective, weights, amounts=_COARSE,
        seed=self._seed)
    return tuple(refined.tolist()), value
