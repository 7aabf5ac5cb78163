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

import dataclasses
import itertools
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from absl import logging

from yt8m.core import progress
from yt8m.eval.blending import averaging as blend_averaging
from yt8m.eval.blending.averaging import blend
from yt8m.eval.blending.gap import gap

# Moving a weight of 0.1 from one model to another must gain 0.0002 of GAP.
REGULARIZATION = 0.01
EXCHANGES = (0.1, 0.05, 0.02, 0.01, 0.005)

_LEAST_GAIN = 1e-7  # of an exchange; less is rounding
_REPORT_SECONDS = 10.0
_MAX_GRADIENT_STEPS = 100
_LOSS_TOLERANCE = 1e-6  # relative


def learn(transformed: Sequence[np.ndarray], hits: np.ndarray, num_positives: float,
          averaging: str, *, regularization: float = REGULARIZATION, seed: int = 0,
          start: npt.ArrayLike | None = None) -> np.ndarray:
  """Learns the weights of M models.

  Args:
    transformed: Transformed scores of M models, each `(n, U)`, from
      `averaging.transform`.
    hits: Whether the class of the slot is a label of the video, `(n, U)` bool.
    num_positives: Number of labels of all videos, including those in no slot.
    averaging: How the scores were transformed, one of `averaging.AVERAGINGS`.
    regularization: Penalty λ for leaving equal weights.
    seed: Seed of the order in which exchanges are tried.
    start: Weights to start from, `(M,)`, if they are better than equal ones. Default:
      those of `least_cross_entropy`.

  Returns:
    w, `(M,)` float64.

  Raises:
    ValueError: A score is NaN, or no video has a label.
  """
  blend_averaging.check(averaging)
  if not num_positives:
    raise ValueError("Weights cannot be learned from videos without labels: "
                     "--eval_data_pattern must match records that have some.")
  objective = Objective(hits, num_positives, regularization)
  starts = [np.full(len(transformed), 1 / len(transformed)),
            least_cross_entropy(transformed, hits, averaging) if start is None
            else np.asarray(start, np.float64)]
  values = [objective(blend(transformed, weights), weights) for weights in starts]
  weights, value = exchange(
      transformed, objective, starts[int(np.argmax(values))], seed=seed)
  logging.info("Learned weights: %s: %.5f, with equal ones %.5f",
               " ".join(f"{weight:.4f}" for weight in weights), value, values[0])
  return weights


@dataclasses.dataclass(frozen=True)
class Objective:
  """GAP(Σ_m w_m T_m) − λ ‖w − 1/M‖²; the attributes are arguments of `learn`."""
  hits: np.ndarray
  num_positives: float
  regularization: float = REGULARIZATION

  def __call__(self, blended: np.ndarray, weights: np.ndarray) -> float:
    """Returns the value of weights, `(M,)`, and of their blend, `(n, U)`."""
    return gap(blended, self.hits, self.num_positives) - self.penalty(weights)

  def penalty(self, weights: npt.ArrayLike) -> float:
    """Returns λ ‖w − 1/M‖²."""
    weights = np.asarray(weights)
    return float(self.regularization * np.sum((weights - 1 / len(weights)) ** 2))


def exchange(transformed: Sequence[np.ndarray], objective: Objective,
             start: npt.ArrayLike, *, amounts: Sequence[float] = EXCHANGES,
             seed: int = 0) -> tuple[np.ndarray, float]:
  """Moves weight from one model to another as long as that helps.

  Args:
    transformed: Transformed scores of M models, each `(n, U)`.
    objective: What is maximised.
    start: Weights to start from, `(M,)`.
    amounts: Weights δ that are moved, one after another.
    seed: Seed of the order in which exchanges are tried.

  Returns:
    `(w, value)`: weights, `(M,)` float64, and the objective there.
  """
  weights = np.array(start, np.float64)
  blended = blend(transformed, weights)
  value = objective(blended, weights)
  pairs = list(itertools.permutations(range(len(weights)), 2))
  np.random.default_rng(seed).shuffle(pairs)
  report = progress.Periodic(_REPORT_SECONDS, len(amounts), "steps")
  for done, amount in enumerate(amounts if pairs else ()):
    report(done, f"Learning weights: {value:.5f}", value=value)
    num_failed = 0
    for giver, taker in itertools.cycle(pairs):
      num_failed += 1
      moved = min(amount, weights[giver])
      if moved > 0:
        new_weights = weights.copy()
        new_weights[giver] -= moved
        new_weights[taker] += moved
        candidate = blend([transformed[taker], transformed[giver]], [moved, -moved])
        candidate += blended
        # Rounding may leave less than 0 of a model that was the whole blend.
        np.maximum(candidate, 0, out=candidate)
        new_value = objective(candidate, new_weights)
        if new_value > value + _LEAST_GAIN:
          # Blended from the weights, so that rounding errors do not add up.
          weights, value = new_weights, new_value
          blended = blend(transformed, weights)
          num_failed = 0
      if num_failed == len(pairs):
        break
  report.close()
  return weights, value


def least_cross_entropy(transformed: Sequence[np.ndarray], hits: np.ndarray,
                        averaging: str) -> np.ndarray:
  """Returns the weights that minimise the cross entropy, by exponentiated gradient.

      L(w) = −Σ y log p + (1 − y) log(1 − p),  p = f(Σ_m w_m T_m)
      w_m ← w_m exp(−η ∂L/∂w_m) / Z

  over all slots. L is convex in w for probabilities and for logits, so the result is the
  minimum. η doubles after a step that lowers L, and otherwise is halved. Ranks are not
  probabilities: their weights stay equal.

  Args:
    transformed: Transformed scores of M models, each `(n, U)`.
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


def cross_fit(transformed: Sequence[np.ndarray], hits: np.ndarray, num_positives: float,
              fit: Callable[..., np.ndarray], *, num_folds: int = 5, seed: int = 0,
              classes: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
  """Blends every video with weights that were learned without it.

  The videos are dealt into folds at random. The weights of a fold are learned on all
  other folds, so the result gives an out-of-sample GAP.

  Args:
    transformed: Transformed scores of M models, each `(n, U)`.
    hits: Whether the class of the slot is a label of the video, `(n, U)` bool.
    num_positives: Number of labels of all videos, including those in no slot.
    fit: Function from these three, and `classes`, of some videos, to weights.
    num_folds: Number of folds.
    seed: Seed of the folds.
    classes: Class of each slot, `(n, U)`, for weights by class.

  Returns:
    `(blended, weights)`: `(n, U)` float32, as from `blend`, and the weights of each fold,
    `(num_folds, M)` or `(num_folds, M, C)`.

  Raises:
    ValueError: As `fit`, or there are fewer than two folds, or more folds than videos.
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
    weights = fit([scores[rest] for scores in transformed], hits[rest],
                  num_positives * share, None if classes is None else classes[rest])
    blended[held_out] = blend([scores[held_out] for scores in transformed], weights,
                              None if classes is None else classes[held_out])
    fold_weights.append(weights)
  return blended, np.array(fold_weights)
