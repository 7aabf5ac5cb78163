# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Blends of models: weighted means of their probabilities, logits or ranks.

Scores are transformed once; every blend is a weighted mean of the result:

    p = f(Σ_m w_m T_m(s_m)),  w_m >= 0, Σ_m w_m = 1

    probabilities  T(s) = s                       f(x) = x
    logits         T(s) = logit s − logit ε       f(x) = σ(x + logit ε)
    ranks          T_m(s) = F_m(s)                f(x) = x

with s clipped to [ε, 1 − ε], ε = 1e-6, and F_m the distribution function of the model's
scores. The shift of the logits changes no blend; it makes 0 mean the same everywhere,
that no model gives a score. f is increasing, so GAP may be computed before it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from yt8m.core import numerics
from yt8m.core import registry

AVERAGINGS = ("probabilities", "logits", "ranks")

EPSILON = 1e-6
MAX_KNOTS = 1024

_LOWEST_LOGIT = np.float32(numerics.logit(EPSILON, EPSILON))


def transform(scores: np.ndarray, averaging: str,
              knots: Sequence[npt.ArrayLike] | None = None) -> np.ndarray:
  """Returns T of the scores of M models.

  For a class that a model did not store, the score is known to lie between 0 and the
  smallest one stored for that video, s_min. As a probability or a rank it is 0. A logit
  of 0 would be a verdict that the model never gave, so the score is taken to be in the
  middle, s_min / 2. If the model stored fewer classes for the video than for another
  one, its list was not cut off: other scores were rounded to 0, and count as ε.

  Args:
    scores: Scores in [0, 1], `(M, n, U)`, 0 where not stored.
    averaging: One of `AVERAGINGS`.
    knots: Knots of the ranks of each model, from `rank_knots`. Default: the knots of
      `scores`.

  Returns:
    `(M, n, U)`, >= 0, 0 in padding. For probabilities this is `scores` itself, so that a
    memory map stays one; otherwise the type is float32.

  Raises:
    ValueError: A score is not in [0, 1], or `averaging` is unknown.
  """
  check(averaging)
  for model, model_scores in enumerate(scores):
    # The extremes of an array with a NaN are NaN, and comparisons with NaN are false.
    if model_scores.size and not (model_scores.min() >= 0 and model_scores.max() <= 1):
      video = np.argwhere(~((model_scores >= 0) & (model_scores <= 1)))[0][0]
      raise ValueError(f"Model {model} has a score that is not in [0, 1], or NaN, for "
                       f"video {video}. Write its predictions again.")
  if averaging == "probabilities":
    return scores
  transformed = np.empty(scores.shape, np.float32)
  scored = np.any(scores, axis=0)
  for model, model_scores in enumerate(scores):
    if averaging == "logits":
      transformed[model] = _shifted_logits(model_scores.astype(np.float32)) * scored
    else:
      transformed[model] = apply_knots(
          model_scores, rank_knots(model_scores) if knots is None else knots[model])
  return transformed


def blend(transformed: Sequence[np.ndarray] | np.ndarray, weights: npt.ArrayLike,
          classes: np.ndarray | None = None) -> np.ndarray:
  """Returns the weighted mean Σ_m w_m T_m, `(n, U)` float32.

  Args:
    transformed: Transformed scores of M models, each `(n, U)`.
    weights: Weights, `(M,)`, or `(M, C)` for weights by class.
    classes: Class of each slot, `(n, U)`, C for padding. Needed for weights by class.
  """
  blended = np.zeros(np.shape(transformed[0]), np.float32)
  for scores, weight in zip(transformed, np.asarray(weights, np.float32), strict=True):
    slot_weights = np.append(weight, np.float32(0))[classes] if weight.ndim else weight
    blended += np.multiply(scores, slot_weights, dtype=np.float32)
  return blended


def output(blended: np.ndarray, averaging: str) -> np.ndarray:
  """Returns f of blended scores, predictions in [0, 1]; 0 stays 0."""
  check(averaging)
  if averaging != "logits":
    return blended
  return np.where(blended > 0, 1 / (1 + np.exp(-blended - _LOWEST_LOGIT)), 0)


def rank_knots(scores: np.ndarray) -> np.ndarray:
  """Returns the knots of F, the distribution function of a model's stored scores.

      F(x_k) = k / (K − 1),  k = 0 … K − 1,  linear in between

  x_0 = 0, so that every stored score has a rank > 0; the other knots are quantiles.

  Args:
    scores: Scores of one model, of any shape, 0 where not stored.

  Returns:
    x, `(K,)` float32, ascending. K <= 1,024, or less if there are fewer scores. Of equal
    knots, the last one counts.

  Raises:
    ValueError: No score is stored.
  """
  stored = scores[scores > 0].astype(np.float32)
  if not stored.size:
    raise ValueError("A model without a score > 0 has no ranks: leave it out.")
  num_knots = min(stored.size + 1, MAX_KNOTS)
  knots = np.quantile(stored, np.linspace(0, 1, num_knots)).astype(np.float32)
  knots[0] = 0
  return knots


def apply_knots(scores: np.ndarray, knots: npt.ArrayLike) -> np.ndarray:
  """Returns F(s) of the distribution function with these knots, float32; 0 stays 0."""
  knots = np.asarray(knots)
  return np.interp(scores, knots, np.linspace(0, 1, len(knots))).astype(np.float32)


def check(averaging: str) -> None:
  """Raises ValueError if `averaging` is not one of `AVERAGINGS`."""
  if averaging not in AVERAGINGS:
    raise registry.unknown("--averaging", averaging, AVERAGINGS)


def _shifted_logits(scores):
  """Returns T of the logits of one model, `(n, U)`."""
  stored = scores > 0
  num_stored = stored.sum(axis=1, keepdims=True)
  smallest = np.min(scores, axis=1, keepdims=True, where=stored, initial=1)
  unstored = np.where(num_stored == num_stored.max(initial=0), smallest / 2, 0)
  logits = numerics.logit(np.where(stored, scores, unstored), EPSILON)
  # Rounding must not make the result for ε negative.
  return np.maximum(logits - _LOWEST_LOGIT, 0)
