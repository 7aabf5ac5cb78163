# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ridge regression from sums over videos, against numpy on all videos at once."""

import numpy as np

from yt8m.models.classification import ridge


def videos(n=200, seed=0):
  """Features, and labels of three classes that depend on them; the last never occurs."""
  rng = np.random.default_rng(seed)
  features = rng.normal(size=(n, 6))
  logits = features @ rng.normal(size=(6, 3)) - [0, 1, 3]
  labels = rng.random((n, 3)) < 1 / (1 + np.exp(-logits))
  return features, np.concatenate([labels, np.zeros((n, 1), bool)], axis=1)


def solved(features, labels, batch=70):
  sums = ridge.RidgeRegression(features.shape[1], labels.shape[1])
  for start in range(0, len(features), batch):
    sums.add(features[start:start + batch], labels[start:start + batch])
  return sums.solve(0.5)


def weights_of(features, targets):
  return np.linalg.solve(features.T @ features + 0.5 * np.eye(6), features.T @ targets)


def test_batches_give_the_solution_of_all_videos():
  features, labels = videos()
  solution = solved(features, labels)
  np.testing.assert_allclose(solution.prior, labels.mean(axis=0))
  np.testing.assert_allclose(
      solution.weights, weights_of(features, labels - labels.mean(axis=0)), atol=1e-12)


def test_a_batch_without_labels_counts():
  features, labels = videos()
  labels[70:140] = False
  np.testing.assert_allclose(solved(features, labels).prior, labels.mean(axis=0))


def test_left_out_scores_are_those_without_the_video():
  features, labels = videos()
  scores = solved(features, labels).left_out(features, labels)
  targets = labels - labels.mean(axis=0)
  for n in (0, 17):
    others = np.delete(np.arange(len(features)), n)
    expected = features[n] @ weights_of(features[others], targets[others])
    np.testing.assert_allclose(scores[n], expected, atol=1e-12)


def test_log_odds_are_those_of_the_labels():
  features, labels = videos(5000)
  solution = solved(features, labels)
  scores = solution.left_out(features, labels)
  weights, biases = solution.log_odds(scores, labels)
  p = 1 / (1 + np.exp(-features @ weights - biases))
  np.testing.assert_allclose(p.mean(), labels.mean(), atol=0.01)
  for low, high in ((0.05, 0.3), (0.3, 0.7), (0.7, 0.95)):
    inside = (p > low) & (p < high)
    np.testing.assert_allclose(labels[inside].mean(), p[inside].mean(), atol=0.08)


def test_platt_is_the_maximum_of_the_likelihood():
  rng = np.random.default_rng(0)
  scores = rng.normal(size=(4000, 2))
  labels = rng.random(scores.shape) < 1 / (1 + np.exp(-(3 * scores - 2)))
  np.testing.assert_allclose(ridge._platt(scores, labels), (3, -2), atol=0.15)
  assert np.all(np.isfinite(ridge._platt(scores, scores > 0)))
  assert np.all(np.isfinite(ridge._platt(scores, scores > 99)))


def test_gap_by_hand():
  scores = np.array([[0.9, 0.1], [0.6, 0.8]])
  labels = np.array([[True, False], [True, False]])  # Hit, miss, hit.
  np.testing.assert_allclose(ridge._gap(scores, labels), (1 + 2 / 3) / 2)
