# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How much one label of a video says about another, counted in label sets."""

import numpy as np


def pair_counts(label_sets):
  """Counts the videos that have both labels of a pair.

  Args:
    label_sets: `LabelSets`, where the labels of a video ascend.

  Returns:
    `(pairs, counts)`: (num_pairs, 2) int64, the lower class first, ascending and only
    those that occur; (num_pairs,) int.
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


def dependence(label_sets, min_count=1):
  """How likely the best single other label makes a class.

      d_c = max_{j ≠ c} P(c | j),   P(c | j) = videos with c and j / videos with j

  Args:
    label_sets: `LabelSets`.
    min_count: of videos with j; the share of a few would be 1 by accident.

  Returns:
    `(d, partner)`: (num_classes,) float, 0 where a class occurs with no such label; and
    j, (num_classes,) int, −1 there.
  """
  pairs, counts = pair_counts(label_sets)
  totals = np.bincount(label_sets.classes, minlength=label_sets.num_classes)
  c, j = np.concatenate([pairs, pairs[:, ::-1]]).T
  shares = np.tile(counts, 2) / totals[j]
  enough = totals[j] >= min_count
  return _largest(shares[enough], c[enough], j[enough], label_sets.num_classes)


def information(label_sets):
  """How much of what is open about a class the best single other label tells.

      u_c = max_{j ≠ c} I(c; j) / H(c)

  of the indicators of both labels: mutual information over entropy, Theil's uncertainty
  coefficient. Unlike `dependence` it also counts what c without j, and j without c, are
  worth: a frequent class is not informed of by a rare one that implies it.

  Args:
    label_sets: `LabelSets`.

  Returns:
    `(u, partner)`, as of `dependence`. Labels that never occur together are not compared.
  """
  pairs, counts = pair_counts(label_sets)
  num_sets, shape = len(label_sets), label_sets.num_classes
  present = np.bincount(label_sets.classes, minlength=shape) / max(num_sets, 1)
  entropy = _entropy(present, 1 - present)
  one, other = present[pairs].T
  both = counts / max(num_sets, 1)
  # A rounding error would be a negative share of videos.
  joint = _entropy(both, one - both, other - both,
                   np.maximum(1 - one - other + both, 0))
  first, second = pairs.T
  mutual = np.tile(entropy[first] + entropy[second] - joint, 2)
  c, j = np.concatenate([first, second]), np.concatenate([second, first])
  known = np.divide(mutual, entropy[c], out=np.zeros(len(c)), where=entropy[c] > 0)
  return _largest(known, c, j, shape)


def _entropy(*probabilities):
  """−Σ p ln p over the arguments, arrays, with 0 ln 0 = 0."""
  return -sum(p * np.log(np.where(p > 0, p, 1)) for p in probabilities)


def _largest(values, c, j, num_classes):
  """The largest value of each c, 0 if it has none, and its j, −1 if it has none."""
  # Of several values assigned to one place the last stays.
  order = np.argsort(values, kind="stable")
  largest, partner = np.zeros(num_classes), np.full(num_classes, -1)
  largest[c[order]], partner[c[order]] = values[order], j[order]
  return largest, partner
