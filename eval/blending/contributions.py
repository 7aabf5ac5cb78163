# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What every member adds to an ensemble, and the members that add nothing.

    adds(m) = GAP(S) − GAP(S \\ {m}),  with new weights for the rest
"""

import concurrent.futures
import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from absl import logging

from yt8m.eval.blending import averaging
from yt8m.eval.blending import gap

# Four digits of GAP are printed; a member must change the last one.
LEAST_GAIN = 1e-4


@dataclasses.dataclass(frozen=True)
class Ensemble:
  """Members, and what they are worth.

  Attributes:
    models: Indices of the members.
    weights: Weights of the members, which sum to 1, `(M,)`.
    gap: GAP of the blend.
    adds: What GAP loses without each member; of a single member, all of it.
  """
  models: tuple[int, ...]
  weights: np.ndarray
  gap: float
  adds: tuple[float, ...]


def without_useless(scorer: gap.BlendScorer, models: Sequence[int], weights: np.ndarray,
                    refit: Callable[[tuple[int, ...], np.ndarray], np.ndarray],
                    sizes: Sequence[int], single: int, num_threads: int = 2) -> Ensemble:
  """Leaves out members, one at a time, until every one of them adds something.

  The result is never worse than the best single model: if it would be, it is that one.

  Args:
    scorer: Predictions of all candidates.
    models: Indices of the members.
    weights: Weights of the members, which sum to 1, `(M,)`.
    refit: Function from members, and weights to start from, to their weights.
    sizes: Numbers of bytes of all candidates; of equal members, the largest goes first.
    single: Index of the best single candidate that may be chosen.
    num_threads: Number of threads.
  """
  ensemble = _ensemble(scorer, tuple(models), weights)
  with concurrent.futures.ThreadPoolExecutor(num_threads) as threads:
    while len(ensemble.models) > 1:
      rests = list(threads.map(
          lambda i, whole=ensemble: _without(scorer, whole, i, refit),
          range(len(ensemble.models))))
      adds = tuple(ensemble.gap - rest.gap for rest in rests)
      least = min(range(len(rests)), key=lambda i: (adds[i], -sizes[ensemble.models[i]]))
      if adds[least] >= LEAST_GAIN:
        ensemble = dataclasses.replace(ensemble, adds=adds)
        break
      logging.info("One of %d members adds %.5f and is left out", len(rests), adds[least])
      ensemble = rests[least]
  alone = _ensemble(scorer, (single,), np.ones(1))
  if len(ensemble.models) > 1 and ensemble.gap > alone.gap:
    return ensemble
  return dataclasses.replace(alone, adds=(alone.gap,))


def _without(scorer, ensemble, member, refit):
  """Returns the ensemble without the member at this position."""
  models = ensemble.models[:member] + ensemble.models[member + 1:]
  rest = np.delete(ensemble.weights, member)
  start = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))
  return _ensemble(scorer, models, refit(models, start))


def _ensemble(scorer, models, weights):
  blended = averaging.blend(scorer.of(models), weights)
  return Ensemble(models, weights,
                  gap.gap(blended, scorer.hits, scorer.num_positives), ())
