# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Dependence between the labels of a video, counted in label sets."""

import numpy as np

from yt8m.data.label_sets import LabelSets


def pair_counts(label_sets: LabelSets) -> tuple[np.ndarray, np.ndarray]:
  """Counts the videos that have both labels of a pair.

  Args:
    label_sets: The `LabelSets`, with the labels of each video in ascending order.

  Returns:
    `(pairs, counts)`: the pairs that occur, (num_pairs, 2) int64, ascending, with the
    lower class first; and their counts, (num_pairs,) int.
  """
  classes, rows = label_sets.classes.astype(np.int64), label_sets.rows
  keys = [np.zeros(0, np.int64)]
  for distance in range(1, label_sets.sizes.max(initial=1)):
    first, second = slice(None, -distance), slice(distance, None)
    together = rows[first] == rows[second]
    keys.append(classes[first][together] * label_sets.num_classes
                + classes[second][together])
  keys, counts = np.unique(np.concatenate(keys), return_counts=True)
  return np.stack(np.divmod(keys, label_sets.num_classes), axis=1), counts


def dependence(label_sets: LabelSets, min_count: int = 1,
               ) -> tuple[np.ndarray, np.ndarray]:
  """Returns how likely a class is, given the single best other label.

      d_c = max_{j ≠ c} P(c | j),   P(c | j) = videos with c and j / videos with j

  Args:
    label_sets: Label sets of the videos.
    min_count: Least number of videos with j; with a few, P would be 1 by chance.

  Returns:
    `(d, partner)`: d, (num_classes,) float, 0 for a class without such a label; and j,
    (num_classes,) int, −1 for such a class.
  """
  pairs, counts = pair_counts(label_sets)
  totals = np.bincount(label_sets.classes, minlength=label_sets.num_classes)
  c, j = np.concatenate([pairs, pairs[:, ::-1]]).T
  shares = np.tile(counts, 2) / totals[j]
  enough = totals[j] >= min_count
  return _largest(shares[enough], c[enough], j[enough], label_sets.num_classes)


def information(label_sets: LabelSets) -> tuple[np.ndarray, np.ndarray]:
  """Returns the share of a class's entropy that the best other label removes.

      u_c = max_{j ≠ c} I(c; j) / H(c)

  for the indicators of both labels: mutual information divided by entropy, which is
  Theil's uncertainty coefficient. Unlike `dependence` it also depends on c without j
  and on j without c: a rare class that implies a frequent one removes little of its
  entropy.

  Args:
    label_sets: Label sets of the videos.

  Returns:
    `(u, partner)`, in the form of `dependence`. Labels that never occur together are not
    compared.
  """
  pairs, counts = pair_counts(label_sets)
  num_sets, shape = len(label_sets), label_sets.num_classes
  present = np.bincount(label_sets.classes, minlength=shape) / max(num_sets, 1)
  entropy = _entropy(present, 1 - present)
  one, other = present[pairs].T
  both = counts / max(num_sets, 1)
  # A rounding error could give a negative share of videos.
  joint = _entropy(both, one - both, other - both,
                   np.maximum(1 - one - other + both, 0))
  first, second = pairs.T
  mutual = np.tile(entropy[first] + entropy[second] - joint, 2)
  c, j = np.concatenate([first, second]), np.concatenate([second, first])
  known = np.divide(mutual, entropy[c], out=np.zeros(len(c)), where=entropy[c] > 0)
  return _largest(known, c, j, shape)


def _entropy(*probabilities: np.ndarray) -> np.ndarray:
  """−Σ p ln p over the arguments, arrays, with 0 ln 0 = 0."""
  terms = [p * np.log(np.where(p > 0, p, 1)) for p in probabilities]
  return -np.sum(terms, axis=0)


def _largest(values: np.ndarray, c: np.ndarray, j: np.ndarray, num_classes: int,
             ) -> tuple[np.ndarray, np.ndarray]:
  """Returns the largest value of each c and its j, or 0 and −1 for a c without values."""
  # If several values are assigned to one place, the last one remains.
  order = np.argsort(values, kind="stable")
  largest, partner = np.zeros(num_classes), np.full(num_classes, -1)
  largest[c[order]], partner[c[order]] = values[order], j[order]
  return largest, partner
