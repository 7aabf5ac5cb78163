# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Dependence counted in label sets, compared with dense matrices."""

import numpy as np
import pytest

from benchmarks.conditional import label_dependence
from yt8m.data import label_sets

C = 9


def draw(seed, num_sets=200):
  """Labels: class 1 accompanies class 0, class 8 is absent, the others are random."""
  rng = np.random.default_rng(seed)
  labels = rng.random((num_sets, C)) < np.linspace(0.5, 0.02, C)
  labels[:, 1] |= labels[:, 0]
  labels[:, 8] = False
  return labels, label_sets.LabelSets.from_matrix(labels)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_are_counted_as_by_a_matrix_product(seed):
  labels, sets = draw(seed)
  together = np.triu(labels.T.astype(int) @ labels, 1)
  pairs, counts = label_dependence.pair_counts(sets)
  np.testing.assert_array_equal(pairs, np.argwhere(together))
  np.testing.assert_array_equal(counts, together[together > 0])


@pytest.mark.parametrize("min_count", [1, 40])
def test_dependence_of_a_dense_matrix(min_count):
  labels, sets = draw(0)
  totals = labels.sum(axis=0)
  assert totals[:8].min() < 40 < totals.max()
  given = labels.T.astype(int) @ labels / np.maximum(totals, 1)  # P(row | column)
  np.fill_diagonal(given, 0)
  given[:, totals < min_count] = 0
  d, partner = label_dependence.dependence(sets, min_count)
  np.testing.assert_allclose(d, given.max(axis=1))
  assert d[1] == 1 and partner[1] == 0
  assert d[8] == 0 and partner[8] == -1
  np.testing.assert_allclose(given[np.arange(8), partner[:8]], d[:8])


def test_information_of_a_dense_matrix():
  labels, sets = draw(1)
  cells = [np.stack([labels == a, labels == b]) for a in (0, 1) for b in (0, 1)]
  joint = np.stack([first.T.astype(float) @ second for first, second in cells])
  joint = joint.reshape(2, 2, C, C) / len(labels)
  independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
  with np.errstate(all="ignore"):
    mutual = np.nansum(joint * np.log(joint / independent), axis=(0, 1))
    known = mutual / np.diag(mutual)[:, np.newaxis]  # I(c; c) = H(c)
  known[~np.isfinite(known) | (joint[1, 1] == 0)] = 0
  np.fill_diagonal(known, 0)
  u, partner = label_dependence.information(sets)
  np.testing.assert_allclose(u, known.max(axis=1), atol=1e-12)
  np.testing.assert_allclose(known[np.arange(8), partner[:8]], u[:8])
  assert u[8] == 0 and partner[8] == -1


def test_twins_tell_all_and_a_rare_label_little_of_a_frequent_one():
  labels = np.zeros((100, 3), bool)
  labels[:50, 0] = True
  labels[:2, 1:] = True  # classes 1 and 2 are the same, and imply class 0
  sets = label_sets.LabelSets.from_matrix(labels)
  d, partner = label_dependence.dependence(sets)
  np.testing.assert_array_equal(d, [1, 1, 1])
  u, partner = label_dependence.information(sets)
  np.testing.assert_allclose(u[1:], 1)
  np.testing.assert_array_equal(partner[1:], [2, 1])
  assert u[0] < 0.05


@pytest.mark.parametrize("labels", [np.zeros((0, 3)), np.zeros((4, 3)), np.eye(3)])
def test_without_pairs_nothing_depends(labels):
  sets = label_sets.LabelSets.from_matrix(labels)
  for measure in (label_dependence.dependence, label_dependence.information):
    values, partner = measure(sets)
    np.testing.assert_array_equal(values, [0, 0, 0])
    np.testing.assert_array_equal(partner, [-1, -1, -1])
