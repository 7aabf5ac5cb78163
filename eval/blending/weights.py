# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights of a blend, on the simplex, that maximise GAP on validation videos.

    max_w  GAP(Σ_m w_m T_m) − λ ‖w − 1/M‖²,  w_m >= 0, Σ_m w_m = 1

GAP is a step function. So the search begins at the weights of smallest cross entropy,
which is convex in w, and goes on by exchange: δ of weight moves from one model to
another, where that helps, for ever smaller δ. No weights are worse than equal ones are
on the videos that they were learned on; `cross_fit` says what they gain on others.
"""

import itertools

import numpy as np
from absl import logging

from yt8m.core import progress
from yt8m.eval.blending import averaging as averagings
from yt8m.eval.blending.averaging import blend
from yt8m.eval.blending.class_weights import learn_by_class
from yt8m.eval.blending.cross_entropy import least_cross_entropy
from yt8m.eval.blending.gap import gap

# A weight that moves by 0.1 from one model to another must gain 0.0002 of GAP.
REGULARIZATION = 0.01

_STEPS = (0.1, 0.05, 0.02, 0.01, 0.005)
_REPORT_SECONDS = 10.0
_LEAST_GAIN = 1e-7  # of an exchange: less is rounding


def learn(transformed, hits, num_positives, averaging, regularization=REGULARIZATION,
          seed=0):
  """Learns the weights of M models.

  Args:
    transformed: `(M, n, U)`, of `averaging.transform`.
    hits: `(n, U)` bool, whether the class of the slot is a label of the video.
    num_positives: labels of all videos, those in no slot included.
    averaging: how the scores were transformed.
    regularization: λ, how dear it is to leave equal weights.
    seed: of the order in which exchanges are tried.

  Returns:
    w, `(M,)` float64.

  Raises:
    ValueError: a score is NaN, or no video has a label.
  """
  averagings.check(averaging)
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
  exchanges = list(itertools.permutations(range(num_models), 2))
  np.random.default_rng(seed).shuffle(exchanges)
  report = progress.Periodic(_REPORT_SECONDS, progress.Progress(len(_STEPS), "steps"))
  for done, step in enumerate(_STEPS if exchanges else ()):
    for line in report(done):
      logging.info("Learning weights: %.5f | %s", value, line)
    weights, value = _exchange(objective, transformed, weights, value, step, exchanges)
  logging.info("Learned weights: %s: %.5f, with equal ones %.5f",
               " ".join(f"{weight:.4f}" for weight in weights), value, values[0])
  return weights


def _exchange(objective, transformed, weights, value, step, exchanges):
  """Moves up to `step` of weight, as long as any one of the exchanges improves."""
  blended = blend(transformed, weights)
  failed = 0
  for giver, taker in itertools.cycle(exchanges):
    amount = min(step, weights[giver])
    if amount > 0:
      moved = weights.copy()
      moved[giver] -= amount
      moved[taker] += amount
      candidate = blended + blend(transformed[[taker, giver]], [amount, -amount])
      # Rounding may leave less than nothing of what was all of a blend.
      np.maximum(candidate, 0, out=candidate)
      found = objective(candidate, moved)
    if amount > 0 and found > value + _LEAST_GAIN:
      # From the weights again: rounding must not add up.
      weights, value, blended, failed = moved, found, blend(transformed, moved), 0
    else:
      failed += 1
    if failed == len(exchanges):
      return weights, value


def cross_fit(transformed, hits, num_positives, averaging,
              regularization=REGULARIZATION, seed=0, num_folds=5, classes=None,
              num_classes=None):
  """Blends every video by weights that were learned without it.

  The videos are dealt into folds at random; the weights of a fold are learned on all
  others. GAP of what comes back is out of sample.

  Args:
    transformed, hits, num_positives, averaging, regularization: see `learn`.
    seed: also of the folds.
    num_folds: of videos.
    classes: `(n, U)`, of each slot: weights by class, see `learn_by_class`.
    num_classes: C, with `classes`.

  Returns:
    `(blended, weights)`: `(n, U)` float32, as `blend` returns it, and the weights of each
    fold, `(num_folds, M)` or `(num_folds, M, C)`.

  Raises:
    ValueError: as `learn`, or there are fewer than two folds, or videos than folds.
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
    learned_on = ~held_out
    others = np.ascontiguousarray(transformed[:, learned_on]), hits[learned_on]
    # Labels in no slot are shared out as the others are: they only scale GAP.
    share = np.count_nonzero(others[1]) / max(np.count_nonzero(hits), 1)
    weights = learn(*others, num_positives * share, averaging, regularization, seed)
    if classes is not None:
      weights = learn_by_class(*others, classes[learned_on], num_classes, averaging,
                               weights)
    blended[held_out] = blend(transformed[:, held_out], weights,
                              None if classes is None else classes[held_out])
    fold_weights.append(weights)
  return blended, np.array(fold_weights)
