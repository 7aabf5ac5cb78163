# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How good blends are, and how sure it is that one is better than another."""

import dataclasses

import numpy as np

from yt8m.eval.blending import averaging as averagings
from yt8m.eval.blending.gap import gap

_RESAMPLES = 200


@dataclasses.dataclass(frozen=True)
class Blend:
  """Some of the models that predictions are aligned of, and their weights.

  Attributes:
    name: what the table calls it.
    models: names.
    weights: `(M,)` or `(M, C)`; None for equal ones.
  """
  name: str
  models: tuple
  weights: np.ndarray | None = None

  def scores(self, aligned, transformed):
    """The blend of `averaging.transform`ed scores, `(n, U)` float32."""
    chosen = [aligned.names.index(model) for model in self.models]
    weights = self.weights
    if weights is None:
      weights = np.full(len(chosen), 1 / len(chosen))
    return averagings.blend(transformed[chosen], weights, aligned.classes)


def compare(blends, aligned, transformed, seed=0):
  """GAP of blends on the same videos.

  The standard error of a difference is that of 200 bootstrap samples of the videos,
  the same for all blends: it says what other videos would change, and nothing of what
  training with other seeds would.

  Args:
    blends: `Blend`s.
    aligned: `AlignedPredictions`.
    transformed: its scores, of `averaging.transform`.
    seed: of the samples.

  Returns:
    `[(gap, difference, error)]`: difference to the first blend, and its standard error.
  """
  scores = [blend.scores(aligned, transformed) for blend in blends]
  gaps = np.array([gap(s, aligned.hits, aligned.num_positives) for s in scores])
  rng = np.random.default_rng(seed)
  num_videos = len(aligned.hits)
  samples = np.empty((_RESAMPLES, len(blends)))
  for sample in samples:
    rows = rng.integers(num_videos, size=num_videos)
    hits, num_positives = aligned.hits[rows], int(aligned.num_labels[rows].sum())
    sample[:] = [gap(s[rows], hits, num_positives) for s in scores]
  differences = samples - samples[:, :1]
  return list(zip(gaps.tolist(), (gaps - gaps[0]).tolist(),
                  differences.std(axis=0, ddof=1).tolist(), strict=True))
