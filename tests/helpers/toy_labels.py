# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label sets of four classes whose dependence is known."""

import numpy as np

from yt8m.data import label_sets


def toy_sets(n=3000, seed=0):
  """Class 1 occurs with class 0 and never with class 2; class 3 is independent."""
  rng = np.random.default_rng(seed)
  labels = np.zeros((n, 4), bool)
  labels[:, 0] = rng.random(n) < 0.3
  labels[:, 1] = labels[:, 0] & (rng.random(n) < 0.9)
  labels[:, 2] = ~labels[:, 1] & (rng.random(n) < 0.5)
  labels[:, 3] = rng.random(n) < 0.2
  return labels, label_sets.LabelSets.from_matrix(labels)
