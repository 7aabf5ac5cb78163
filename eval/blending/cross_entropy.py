# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights of a blend whose cross entropy is smallest: where the search for GAP begins."""

import numpy as np

from yt8m.eval.blending import averaging as averagings
from yt8m.eval.blending.averaging import blend

_MAX_STEPS = 100
_TOLERANCE = 1e-6  # of the loss, relative


def least_cross_entropy(transformed, hits, averaging):
  """Minimises the cross entropy of the blend by exponentiated gradient.

      L(w) = −Σ y log p + (1 − y) log(1 − p),  p = f(Σ_m w_m T_m)
      w_m ← w_m exp(−η ∂L/∂w_m) / Z

  over all slots. L is convex in w for probabilities and for logits, so that the result is
  the minimum. η doubles after a step that lowers L, and is halved until one does. Ranks
  are no probabilities: their weights stay equal.

  Args:
    transformed, hits, averaging: see `blend_weights.learn`.

  Returns:
    w, `(M,)` float64.

  Reference: Kivinen and Warmuth, "Exponentiated gradient versus gradient descent for
    linear predictors", Information and Computation 132 (1997).
  """
  num_models = len(transformed)
  weights = np.full(num_models, 1 / num_models)
  if averaging == "ranks" or num_models == 1:
    return weights
  loss, slopes = _loss_and_slopes(transformed, weights, hits, averaging)
  rate = 1 / max(np.ptp(slopes), 1e-12)
  for _ in range(_MAX_STEPS):
    # Subtracting the smallest slope changes nothing but keeps exp from underflowing.
    moved = weights * np.exp(-rate * (slopes - slopes.min()))
    moved /= moved.sum()
    new_loss, new_slopes = _loss_and_slopes(transformed, moved, hits, averaging)
    if new_loss > loss:
      rate /= 2
      continue
    gained = loss - new_loss
    weights, loss, slopes, rate = moved, new_loss, new_slopes, 2 * rate
    if gained <= _TOLERANCE * loss:
      break
  return weights


def _loss_and_slopes(transformed, weights, hits, averaging):
  """L and ∂L/∂w_m, both a video."""
  blended = blend(transformed, weights)
  epsilon = averagings.EPSILON
  predictions = np.clip(averagings.output(blended, averaging), epsilon, 1 - epsilon)
  loss = -np.log(np.where(hits, predictions, 1 - predictions)).sum(dtype=np.float64)
  slope = predictions - hits
  if averaging == "probabilities":
    slope /= predictions * (1 - predictions)
  slopes = np.array([np.vdot(slope, of_model.astype(np.float32))
                     for of_model in transformed], np.float64)
  return loss / len(hits), slopes / len(hits)
