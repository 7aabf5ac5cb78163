# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights of a blend, on the simplex, that maximise GAP on validation videos.

    max_w  GAP(Σ_m w_m T_m) − λ ‖w − 1/M‖²,  w_m >= 0, Σ_m w_m = 1

GAP is a step function. The search for its maximum starts at the weights of smallest
cross entropy, which is convex in w, and continues by exchanges: δ of weight moves from
one model to another where that helps, with smaller and smaller δ. On the videos that
they were learned on, the weights are never worse than equal ones; `cross_fit` measures
their gain on others.
"""

import itertools
from typing import Any

import numpy as np
from absl import logging

from yt8m.core import progress
from yt8m.eval.blending import averaging as blend_averaging
from yt8m.eval.blending.averaging import blend
from yt8m.eval.blending.gap import gap

# Moving a weight of 0.1 from one model to another must gain 0.0002 of GAP.
REGULARIZATION = 0.01
# A class begins to have weights of its own at about this number of videos.
PSEUDO_COUNT = 100.0

_EXCHANGES = (0.1, 0.05, 0.02, 0.01, 0.005)
_LEAST_GAIN = 1e-7  # of an exchange; less is rounding
_REPORT_SECONDS = 10.0
_MAX_GRADIENT_STEPS = 100
_LOSS_TOLERANCE = 1e-6  # relative
_EM_STEPS = 30


def learn(transformed: np.ndarray, hits: np.ndarray, num_positives: float,
          averaging: str, *, regularization: float = REGULARIZATION, seed: int = 0,
          classes: np.ndarray | None = None, num_classes: int = 0) -> np.ndarray:
  """Learns the weights of M models.

  Args:
    transformed: Transformed scores, `(M, n, U)`, from `averaging.transform`.
    hits: Whether the class of the slot is a label of the video, `(n, U)` bool.
    num_positives: Number of labels of all videos, including those in no slot.
    averaging: How the scores were transformed, one of `averaging.AVERAGINGS`.
    regularization: Penalty λ for leaving equal weights.
    seed: Seed of the order in which exchanges are tried.
    classes: Class of each slot, `(n, U)`, to refine the weights by `learn_by_class`.
    num_classes: Number of classes C, needed with `classes`.

  Returns:
    w, `(M,)` float64, or `(M, C)` with `classes`.

  Raises:
    ValueError: A score is NaN, no video has a label, or as `learn_by_class`.
  """
  blend_averaging.check(averaging)
  if not num_positives:
    raise ValueError("Weights cannot be learned from videos without labels: "
                     "--eval_data_pattern must match records that have some.")
  num_models = len(transformed)
  equal = np.full(num_models, 1 / num_models)

  def objective(blended, weights):
    penalty = regularization * np.sum((weights - equal) ** 2)
    return gap(blended, hits, num_positives) - penalty

  starts = [equal, least_cross_entropy(transformed, hits, averaging)]
  values = [objective(blend(transformed, start), start) for start in starts]
  best = int(np.argmax(values))
  weights, value = starts[best], values[best]
  pairs = list(itertools.permutations(range(num_models), 2))
  np.random.default_rng(seed).shuffle(pairs)
  report = progress.Periodic(_REPORT_SECONDS, len(_EXCHANGES), "steps")
  for done, amount in enumerate(_EXCHANGES if pairs else ()):
    for line in report(done):
      logging.info("Learning weights: %.5f | %s", value, line)
    weights, value = _exchange(objective, transformed, weights, value, amount, pairs)
  logging.info("Learned weights: %s: %.5f, with equal ones %.5f",
               " ".join(f"{weight:.4f}" for weight in weights), value, values[0])
  if classes is None:
    return weights
  return learn_by_class(transformed, hits, classes, num_classes, averaging, weights)


def _exchange(objective, transformed, weights, value, amount, pairs):
  """Moves up to `amount` of weight between pairs until no exchange improves."""
  blended = blend(transformed, weights)
  num_failed = 0
  for giver, taker in itertools.cycle(pairs):
    num_failed += 1
    moved = min(amount, weights[giver])
    if moved > 0:
      new_weights = weights.copy()
      new_weights[giver] -= moved
      new_weights[taker] += moved
      candidate = blended + blend(transformed[[taker, giver]], [moved, -moved])
      # Rounding may leave less than 0 of a model that was the whole blend.
      np.maximum(candidate, 0, out=candidate)
      new_value = objective(candidate, new_weights)
      if new_value > value + _LEAST_GAIN:
        # Blended from the weights, so that rounding errors do not add up.
        weights, value, blended = new_weights, new_value, blend(transformed, new_weights)
        num_failed = 0
    if num_failed == len(pairs):
      break
  return weights, value


def least_cross_entropy(transformed: np.ndarray, hits: np.ndarray, averaging: str,
                        ) -> np.ndarray:
  """Returns the weights that minimise the cross entropy, by exponentiated gradient.

      L(w) = −Σ y log p + (1 − y) log(1 − p),  p = f(Σ_m w_m T_m)
      w_m ← w_m exp(−η ∂L/∂w_m) / Z

  over all slots. L is convex in w for probabilities and for logits, so the result is the
  minimum. η doubles after a step that lowers L, and otherwise is halved. Ranks are not
  probabilities: their weights stay equal.

  Args:
    transformed: Transformed scores, `(M, n, U)`.
    hits: Whether the class of the slot is a label of the video, `(n, U)` bool.
    averaging: How the scores were transformed.

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
  for _ in range(_MAX_GRADIENT_STEPS):
    # Subtracting the smallest slope changes nothing but keeps exp from underflowing.
    new_weights = weights * np.exp(-rate * (slopes - slopes.min()))
    new_weights /= new_weights.sum()
    new_loss, new_slopes = _loss_and_slopes(transformed, new_weights, hits, averaging)
    if new_loss > loss:
      rate /= 2
      continue
    gain = loss - new_loss
    weights, loss, slopes, rate = new_weights, new_loss, new_slopes, 2 * rate
    if gain <= _LOSS_TOLERANCE * loss:
      break
  return weights


def _loss_and_slopes(transformed, weights, hits, averaging):
  """Returns L and ∂L/∂w_m, divided by the number of videos."""
  epsilon = blend_averaging.EPSILON
  predictions = blend_averaging.output(blend(transformed, weights), averaging)
  predictions = np.clip(predictions, epsilon, 1 - epsilon)
  loss = -np.log(np.where(hits, predictions, 1 - predictions)).sum(dtype=np.float64)
  slope = predictions - hits
  if averaging == "probabilities":
    slope /= predictions * (1 - predictions)
  slopes = np.array([np.vdot(slope, scores.astype(np.float32)) for scores in transformed],
                    np.float64)
  return loss / len(hits), slopes / len(hits)


def learn_by_class(transformed: np.ndarray, hits: np.ndarray, classes: np.ndarray,
                   num_classes: int, averaging: str, weights: np.ndarray, *,
                   pseudo_count: float = PSEUDO_COUNT) -> np.ndarray:
  """Learns weights for each class, by expectation maximisation.

  The blend for class c is a mixture of what the models say of a label y: q_m = s_m if
  y = 1, and 1 − s_m otherwise. With the global weights w as a prior of κ videos,

      w_mc ← (κ w_m + Σ_i r_im) / (κ + n_c),  r_im = w_mc q_im / Σ_k w_kc q_ik

  over the n_c videos i that have the class in a slot.

  Args:
    transformed: Transformed scores, `(M, n, U)`.
    hits: Whether the class of the slot is a label of the video, `(n, U)` bool.
    classes: Class of each slot, `(n, U)`, C for padding.
    num_classes: Number of classes C.
    averaging: How the scores were transformed; must be "probabilities".
    weights: Global weights w, `(M,)`.
    pseudo_count: Number of videos κ that the prior counts for.

  Returns:
    `(M, C)` float64; w where a class is in no slot.

  Raises:
    ValueError: `averaging` is not "probabilities", or `pseudo_count` not positive.
  """
  if averaging != "probabilities":
    raise ValueError(f"--class_weights need --averaging=probabilities, not {averaging}.")
  if pseudo_count <= 0:
    raise ValueError(f"pseudo_count={pseudo_count} must be positive.")
  slots = classes.ravel()
  by_class = np.repeat(weights[:, np.newaxis], num_classes, axis=1)
  # Σ_k w_kc q_ik is the blend p, or 1 − p. A label to which no model gives any
  # probability carries no information about the models.
  for _ in range(_EM_STEPS):
    blended = blend(transformed, by_class, classes)
    likelihood = np.where(hits, blended, 1 - blended)
    inverse = np.divide(1, likelihood, out=np.zeros_like(blended), where=likelihood > 0)
    sums = np.empty_like(by_class)
    for model, model_scores in enumerate(transformed):
      scores = model_scores.astype(np.float32)
      ratios = np.where(hits, scores, 1 - scores) * inverse
      totals = np.bincount(slots, ratios.ravel(), minlength=num_classes + 1)
      sums[model] = by_class[model] * totals[:num_classes]
    by_class = pseudo_count * weights[:, np.newaxis] + sums
    # The sum is κ + n_c, less the labels left out.
    by_class /= by_class.sum(axis=0)
  return by_class


def cross_fit(transformed: np.ndarray, hits: np.ndarray, num_positives: float,
              averaging: str, *, num_folds: int = 5, seed: int = 0,
              classes: np.ndarray | None = None, **settings: Any,
              ) -> tuple[np.ndarray, np.ndarray]:
  """Blends every video with weights that were learned without it.

  The videos are dealt into folds at random. The weights of a fold are learned on all
  other folds, so the result gives an out-of-sample GAP.

  Args:
    transformed: Transformed scores, `(M, n, U)`.
    hits: Whether the class of the slot is a label of the video, `(n, U)` bool.
    num_positives: Number of labels of all videos, including those in no slot.
    averaging: How the scores were transformed.
    num_folds: Number of folds.
    seed: Seed of the folds, and of the order in which exchanges are tried.
    classes: Class of each slot, `(n, U)`, for weights by class.
    **settings: Further arguments of `learn`: `regularization`, `num_classes`.

  Returns:
    `(blended, weights)`: `(n, U)` float32, as from `blend`, and the weights of each fold,
    `(num_folds, M)` or `(num_folds, M, C)`.

  Raises:
    ValueError: As `learn`, or there are fewer than two folds, or more folds than videos.
  """
  num_videos = len(hits)
  if not 2 <= num_folds <= num_videos:
    raise ValueError(f"--num_folds={num_folds} must be at least 2, and at most the "
                     f"{num_videos} videos.")
  folds = np.random.default_rng(seed).permutation(num_videos) % num_folds
  blended, fold_weights = np.zeros(hits.shape, np.float32), []
  for fold in range(num_folds):
    logging.info("Weights without fold %d of %d", fold + 1, num_folds)
    held_out = folds == fold
    rest = ~held_out
    # The share of labels in no slot is taken to be the same: it only scales GAP.
    share = np.count_nonzero(hits[rest]) / max(np.count_nonzero(hits), 1)
    weights = learn(
        np.ascontiguousarray(transformed[:, rest]), hits[rest], num_positives * share,
        averaging, seed=seed, classes=None if classes is None else classes[rest],
        **settings)
    blended[held_out] = blend(transformed[:, held_out], weights,
                              None if classes is None else classes[held_out])
    fold_weights.append(weights)
  return blended, np.array(fold_weights)
