# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights of a blend class by class, shrunk toward those of all classes."""

import numpy as np

from yt8m.eval.blending.averaging import blend

# A class begins to have weights of its own at about as many videos as this.
PSEUDO_COUNT = 100.0

_NUM_STEPS = 30


def learn_by_class(transformed, hits, classes, num_classes, averaging, weights,
                   pseudo_count=PSEUDO_COUNT):
  """Learns weights of each class by expectation maximisation.

  The blend of class c is a mixture of what the models say of a label y, q_m = s_m if
  y = 1 and 1 − s_m otherwise. With the global weights w as a prior of κ videos,

      w_mc ← (κ w_m + Σ_i r_im) / (κ + n_c),  r_im = w_mc q_im / Σ_k w_kc q_ik

  over the n_c videos i that have the class in a slot.

  Args:
    transformed, hits: see `blend_weights.learn`.
    classes: `(n, U)`, of each slot; C is padding.
    num_classes: C.
    averaging: must be "probabilities".
    weights: w, `(M,)`, of `blend_weights.learn`.
    pseudo_count: κ.

  Returns:
    `(M, C)` float64; w where a class is in no slot.

  Raises:
    ValueError: `averaging` is not "probabilities", `pseudo_count` not positive.
  """
  if averaging != "probabilities":
    raise ValueError(f"--class_weights need --averaging=probabilities, not {averaging}.")
  if pseudo_count <= 0:
    raise ValueError(f"pseudo_count={pseudo_count} must be positive.")
  slots = classes.ravel()
  by_class = np.repeat(weights[:, np.newaxis], num_classes, axis=1)
  # Σ_k w_kc q_ik is the blend p, or 1 − p. A label that no model gives any probability
  # says nothing of the models.
  for _ in range(_NUM_STEPS):
    blended = blend(transformed, by_class, classes)
    likelihood = np.where(hits, blended, 1 - blended)
    inverse = np.divide(1, likelihood, out=np.zeros_like(blended), where=likelihood > 0)
    sums = np.empty_like(by_class)
    for model, of_model in enumerate(transformed):
      scores = of_model.astype(np.float32)
      ratios = np.where(hits, scores, 1 - scores) * inverse
      total = np.bincount(slots, ratios.ravel(), minlength=num_classes + 1)
      sums[model] = by_class[model] * total[:num_classes]
    by_class = pseudo_count * weights[:, np.newaxis] + sums
    # Divided by its own sum, not by κ + n_c, which differs where a label was left out.
    by_class /= by_class.sum(axis=0)
  return by_class
