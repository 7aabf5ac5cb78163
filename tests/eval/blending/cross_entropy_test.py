# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from yt8m.eval.blending import averaging
from yt8m.eval.blending.cross_entropy import least_cross_entropy


def problem(num_models=3, seed=0):
  """`(scores, hits)`: calibrated models of different sharpness."""
  rng = np.random.default_rng(seed)
  logits = rng.normal(-1, 2, (200, 10))
  hits = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
  noise = rng.normal(size=(num_models, *logits.shape))
  noise *= np.linspace(0.5, 2, num_models)[:, np.newaxis, np.newaxis]
  return (1 / (1 + np.exp(-logits - noise))).astype(np.float32), hits


def loss(scores, hits, name, weights):
  """Cross entropy in plain numpy, float64."""
  scores = scores.astype(np.float64)
  if name == "probabilities":
    p = np.tensordot(weights, scores, 1)
  else:
    p = 1 / (1 + np.exp(-np.tensordot(weights, np.log(scores / (1 - scores)), 1)))
  return -np.mean(np.log(np.where(hits, p, 1 - p)).sum(axis=1))


@pytest.mark.parametrize("name", ["probabilities", "logits"])
@pytest.mark.parametrize("seed", range(3))
def test_no_grid_point_is_better(name, seed):
  scores, hits = problem(seed=seed)
  weights = least_cross_entropy(averaging.transform(scores, name), hits, name)
  assert weights.min() >= 0 and weights.sum() == pytest.approx(1)
  grid = [(i / 50, j / 50, (50 - i - j) / 50) for i, j in
          itertools.product(range(51), repeat=2) if i + j <= 50]
  best = min(loss(scores, hits, name, point) for point in grid)
  assert loss(scores, hits, name, weights) <= best * (1 + 1e-7)


@pytest.mark.parametrize("name", ["probabilities", "logits"])
def test_order_of_models_does_not_matter(name):
  scores, hits = problem(5)
  weights = least_cross_entropy(averaging.transform(scores, name), hits, name)
  turned = least_cross_entropy(averaging.transform(scores[::-1], name), hits, name)
  np.testing.assert_allclose(turned[::-1], weights, atol=1e-4)


def test_padding_does_not_matter():
  scores, hits = problem()
  padded = np.pad(scores, [(0, 0), (0, 0), (0, 7)])
  for name in ("probabilities", "logits"):
    np.testing.assert_allclose(
        least_cross_entropy(averaging.transform(padded, name),
                            np.pad(hits, [(0, 0), (0, 7)]), name),
        least_cross_entropy(averaging.transform(scores, name), hits, name), atol=1e-3)


def test_certain_and_wrong_is_finite():
  scores = np.array([[[1.0, 0.0]], [[0.5, 0.5]]], np.float16)
  hits = np.array([[False, True]])
  for name in ("probabilities", "logits"):
    weights = least_cross_entropy(averaging.transform(scores, name), hits, name)
    assert weights[1] > 0.9


def test_one_model_and_ranks_are_weighted_equally():
  scores, hits = problem(1)
  np.testing.assert_array_equal(least_cross_entropy(scores, hits, "probabilities"), [1])
  scores, hits = problem(4)
  ranks = averaging.transform(scores, "ranks")
  np.testing.assert_array_equal(least_cross_entropy(ranks, hits, "ranks"), [0.25] * 4)
