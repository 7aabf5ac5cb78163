# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights of a blend for each class, shrunk toward those of all classes."""

from collections.abc import Sequence

import numpy as np

from yt8m.eval.blending.averaging import blend

# A class begins to have weights of its own at about this number of videos.
PSEUDO_COUNT = 100.0

_EM_STEPS = 30


def learn_by_class(transformed: Sequence[np.ndarray], hits: np.ndarray,
                   classes: np.ndarray, num_classes: int, averaging: str,
                   weights: np.ndarray, *, pseudo_count: float = PSEUDO_COUNT,
                   ) -> np.ndarray:
  """Learns weights for each class, by expectation maximisation.

  The blend for class c is a mixture of what the models say of a label y: q_m = s_m if
  y = 1, and 1 − s_m otherwise. With the global weights w as a prior of κ videos,

      w_mc ← (κ w_m + Σ_i r_im) / (κ + n_c),  r_im = w_mc q_im / Σ_k w_kc q_ik

  over the n_c videos i that have the class in a slot.

  Args:
    transformed: Transformed scores of M models, each `(n, U)`.
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
