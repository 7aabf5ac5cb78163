# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from yt8m.eval.blending import averaging
from yt8m.eval.blending import weights as blend_weights
from yt8m.eval.blending.averaging import blend
from yt8m.eval.blending.gap import gap


def problem(noise=(0.5, 1, 2), n=300, seed=0):
  """`(scores, hits, num_positives)` of models of different noise; one label unseen."""
  rng = np.random.default_rng(seed)
  logits = rng.normal(-2, 1.5, (n, 24))
  hits = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
  noise = np.reshape(noise, (-1, 1, 1)) * rng.normal(size=(len(noise), *logits.shape))
  scores = 1 / (1 + np.exp(-logits - noise))
  return scores.astype(np.float16), hits, int(hits.sum()) + 1


def value(weights, transformed, hits, num_positives, regularization):
  penalty = regularization * np.sum((np.asarray(weights) - 1 / len(weights)) ** 2)
  return gap(blend(transformed, weights), hits, num_positives) - penalty


@pytest.mark.parametrize("name", averaging.AVERAGINGS)
def test_no_grid_point_is_much_better(name):
  scores, *rest = problem()
  transformed = averaging.transform(scores, name)
  weights = blend_weights.learn(transformed, *rest, name)
  assert weights.min() >= 0 and weights.sum() == pytest.approx(1)
  grid = [(i / 20, j / 20, (20 - i - j) / 20) for i, j in
          itertools.product(range(21), repeat=2) if i + j <= 20]
  best = max(value(point, transformed, *rest, blend_weights.REGULARIZATION)
             for point in grid)
  assert value(weights, transformed, *rest, blend_weights.REGULARIZATION) > best - 5e-4
  assert weights[0] > weights[1] > weights[2]


@pytest.mark.parametrize("seed", range(4))
def test_never_worse_than_equal_weights_nor_improved_by_an_exchange(seed):
  scores, *rest = problem((0.5, 0.6, 0.7, 2), 100, seed)
  weights = blend_weights.learn(scores, *rest, "probabilities", 0.02)
  found = value(weights, scores, *rest, 0.02)
  assert found >= value([0.25] * 4, scores, *rest, 0.02)
  for giver, taker in itertools.permutations(range(4), 2):
    moved = weights.copy()
    moved[taker] += min(0.005, moved[giver])
    moved[giver] -= min(0.005, moved[giver])
    assert value(moved, scores, *rest, 0.02) <= found + 1e-6


def test_a_useless_model_gets_next_to_nothing():
  scores, hits, num_positives = problem((0.5, 0.5, 0.5))
  scores[1] = np.random.default_rng(0).random(scores[1].shape)
  weights = blend_weights.learn(scores, hits, num_positives, "probabilities", 0.0)
  assert weights[1] < 0.05


def test_regularization_keeps_the_weights_equal():
  weights = blend_weights.learn(*problem(), "probabilities", 1e3)
  np.testing.assert_allclose(weights, [1 / 3] * 3)


def test_deterministic():
  first, again = (blend_weights.learn(*problem(), "logits", seed=3) for _ in range(2))
  np.testing.assert_array_equal(first, again)


def test_one_model_has_all_the_weight():
  np.testing.assert_array_equal(
      blend_weights.learn(*problem([1.0]), "probabilities"), [1.0])


def test_errors():
  scores, hits, num_positives = problem()
  with pytest.raises(ValueError, match="videos without labels"):
    blend_weights.learn(scores, hits & False, 0, "probabilities")
  with pytest.raises(ValueError, match="--averaging=mean"):
    blend_weights.learn(scores, hits, num_positives, "mean")
  for num_folds in (1, 301):
    with pytest.raises(ValueError, match=f"--num_folds={num_folds} .* 300 videos"):
      blend_weights.cross_fit(scores, hits, num_positives, "logits", num_folds=num_folds)
  scores[1, 17, 3] = np.nan
  with pytest.raises(ValueError, match="video 17 hold NaN"):
    blend_weights.learn(scores, hits, num_positives, "probabilities")


def test_every_video_is_blended_by_weights_learned_without_it():
  scores, hits, num_positives = problem(n=60)
  found, weights = blend_weights.cross_fit(scores, hits, num_positives, "probabilities",
                                           seed=1, num_folds=4)
  assert found.shape == hits.shape and found.dtype == np.float32
  assert weights.shape == (4, 3)
  by_fold = np.stack([blend(scores, of_fold) for of_fold in weights])
  folds = np.argmax((by_fold == found).all(axis=2), axis=0)
  np.testing.assert_array_equal(np.bincount(folds), [15] * 4)
  np.testing.assert_array_equal(by_fold[folds, np.arange(60)], found)
  for fold in range(4):
    # Other labels of the excluded videos do not change the weights.
    changed = hits.copy()
    changed[folds == fold] = np.roll(hits[folds == fold], 5, axis=1)
    _, others = blend_weights.cross_fit(scores, changed, num_positives, "probabilities",
                                        seed=1, num_folds=4)
    np.testing.assert_array_equal(others[fold], weights[fold])


def test_gain_over_noise_is_not_reported():
  """Weights seem to improve random scores, but not on other videos."""
  rng = np.random.default_rng(0)
  scores = rng.random((6, 80, 24)).astype(np.float32)
  hits = rng.random((80, 24)) < 0.05
  num_positives = hits.sum()
  equal = gap(blend(scores, [1 / 6] * 6), hits, num_positives)
  weights = blend_weights.learn(scores, hits, num_positives, "probabilities", 0.0)
  blended, _ = blend_weights.cross_fit(scores, hits, num_positives, "probabilities", 0.0)
  inside = gap(blend(scores, weights), hits, num_positives)
  assert inside > equal + 0.003
  assert gap(blended, hits, num_positives) < (inside + equal) / 2


def test_cross_fit_of_weights_by_class():
  scores, hits, num_positives = problem(n=80)
  classes = np.tile(np.arange(24), (80, 1))
  found, weights = blend_weights.cross_fit(
      scores, hits, num_positives, "probabilities", classes=classes, num_classes=24,
      num_folds=2)
  assert weights.shape == (2, 3, 24)
  np.testing.assert_allclose(weights.sum(axis=1), 1)
  by_fold = [blend(scores, of_fold, classes) for of_fold in weights]
  assert np.all((found == by_fold[0]).all(axis=1) | (found == by_fold[1]).all(axis=1))
