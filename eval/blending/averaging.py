# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What of the models is averaged: probabilities, logits or ranks.

Scores are transformed once; every blend is a weighted mean of them:

    p = f(Σ_m w_m T_m(s_m)),  w_m >= 0, Σ_m w_m = 1

    probabilities  T(s) = s                       f(x) = x
    logits         T(s) = logit s − logit ε       f(x) = σ(x + logit ε)
    ranks          T_m(s) = F_m(s)                f(x) = x

with s kept in [ε, 1 − ε], ε = 1e-6, and F_m the distribution function of the model's
scores. Logits are shifted, which changes no blend, so that 0 means the same everywhere:
no model says anything. f increases: GAP may be taken before it.
"""

import numpy as np

AVERAGINGS = ("probabilities", "logits", "ranks")

EPSILON = 1e-6
MAX_KNOTS = 1024

_LOWEST_LOGIT = np.float32(np.log(EPSILON) - np.log1p(-EPSILON))


def transform(scores, averaging, knots=None):
  """T of the scores of M models.

  Of a class that a model did not store, the score is known to lie between 0 and the
  smallest that it stored for that video, s_min. A plain probability and a rank stay 0.
  The logit of 0 would be a verdict, where the model was only not asked: the middle of the
  interval, s_min / 2, stands in. A video for which the model stored fewer classes than
  for another was not cut: what it lacks was rounded to 0, and counts as ε.

  Args:
    scores: `(M, n, U)`, in [0, 1], 0 where not stored.
    averaging: one of `AVERAGINGS`.
    knots: of ranks: M arrays of `rank_knots`; by default those of `scores`.

  Returns:
    `(M, n, U)`, >= 0, 0 in padding: `scores` itself for probabilities, so that a memory
    map stays one; float32 otherwise.

  Raises:
    ValueError: a score is not in [0, 1], or `averaging` is unknown.
  """
  check(averaging)
  for model, of_model in enumerate(scores):
    # Extremes of numbers with a NaN are NaN, and no comparison with it holds.
    if of_model.size and not (of_model.min() >= 0 and of_model.max() <= 1):
      video = np.argwhere(~((of_model >= 0) & (of_model <= 1)))[0][0]
      raise ValueError(f"Model {model} has a score that is not in [0, 1], or NaN, for "
                       f"video {video}. Write its predictions again.")
  if averaging == "probabilities":
    return scores
  transformed = np.empty(scores.shape, np.float32)
  scored = np.any(scores, axis=0)
  for model, of_model in enumerate(scores):
    if averaging == "logits":
      transformed[model] = _shifted_logits(of_model.astype(np.float32)) * scored
    else:
      transformed[model] = apply_knots(
          of_model, rank_knots(of_model) if knots is None else knots[model])
  return transformed


def blend(transformed, weights, classes=None):
  """The weighted mean Σ_m w_m T_m, `(n, U)` float32.

  Args:
    transformed: `(M, n, U)`, of `transform`.
    weights: `(M,)`, or `(M, C)`: one a class.
    classes: `(n, U)`, of each slot; C is padding. Only for weights by class.
  """
  blended = np.zeros(transformed.shape[1:], np.float32)
  for of_model, weight in zip(transformed, np.asarray(weights, np.float32), strict=True):
    of_slots = np.append(weight, np.float32(0))[classes] if weight.ndim else weight
    blended += np.multiply(of_model, of_slots, dtype=np.float32)
  return blended


def output(blended, averaging):
  """Blended scores as predictions in [0, 1], f of the equation; what is 0 stays 0."""
  check(averaging)
  if averaging != "logits":
    return blended
  return np.where(blended > 0, 1 / (1 + np.exp(-blended - _LOWEST_LOGIT)), 0)


def rank_knots(scores):
  """Where F, the distribution function of a model's stored scores, takes k / (K − 1).

      F(x_k) = k / (K − 1),  k = 0 … K − 1,  linear in between

  x_0 = 0, so that every stored score has a rank > 0; the others are quantiles.

  Args:
    scores: of one model, any shape; 0 is not stored.

  Returns:
    x, `(K,)` float32, ascending; K <= 1,024, less where there are fewer scores. Of equal
    knots the last one counts.

  Raises:
    ValueError: no score is stored.
  """
  stored = scores[scores > 0].astype(np.float32)
  if not stored.size:
    raise ValueError("A model of which no score is > 0 has no ranks: leave it out.")
  num_knots = min(stored.size + 1, MAX_KNOTS)
  knots = np.quantile(stored, np.linspace(0, 1, num_knots)).astype(np.float32)
  knots[0] = 0
  return knots


def apply_knots(scores, knots):
  """F(s) of the distribution function with these knots, float32; 0 stays 0."""
  ranks = np.linspace(0, 1, len(knots))
  return np.interp(scores, knots, ranks).astype(np.float32)


def check(averaging):
  """Raises ValueError if there is no such way to average."""
  if averaging not in AVERAGINGS:
    raise ValueError(f"--averaging={averaging} must be one of {', '.join(AVERAGINGS)}.")


def _shifted_logits(scores):
  """T of the logits of one model, `(n, U)`."""
  stored = scores > 0
  num_stored = stored.sum(axis=1, keepdims=True)
  smallest = np.min(scores, axis=1, keepdims=True, where=stored, initial=1)
  unstored = np.where(num_stored == num_stored.max(initial=0), smallest / 2, 0)
  scores = np.clip(np.where(stored, scores, unstored), EPSILON, 1 - EPSILON)
  # Rounding must not put ε below 0.
  return np.maximum(np.log(scores) - np.log1p(-scores) - _LOWEST_LOGIT, 0)
