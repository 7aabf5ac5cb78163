# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import functools
import itertools

import numpy as np
import pytest

from yt8m.eval.blending import averaging
from yt8m.eval.blending import weights as blend_weights
from yt8m.eval.blending.averaging import blend
from yt8m.eval.blending.class_weights import learn_by_class
from yt8m.eval.blending.gap import gap
from yt8m.eval.blending.weights import least_cross_entropy


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
  weights = blend_weights.learn(scores, *rest, "probabilities", regularization=0.02)
  best = value(weights, scores, *rest, 0.02)
  assert best >= value([0.25] * 4, scores, *rest, 0.02)
  for giver, taker in itertools.permutations(range(4), 2):
    moved = weights.copy()
    moved[taker] += min(0.005, moved[giver])
    moved[giver] -= min(0.005, moved[giver])
    assert value(moved, scores, *rest, 0.02) <= best + 1e-6


def test_a_useless_model_gets_next_to_nothing():
  scores, hits, num_positives = problem((0.5, 0.5, 0.5))
  scores[1] = np.random.default_rng(0).random(scores[1].shape)
  weights = blend_weights.learn(scores, hits, num_positives, "probabilities",
                                regularization=0.0)
  assert weights[1] < 0.05


def test_regularization_keeps_the_weights_equal():
  weights = blend_weights.learn(*problem(), "probabilities", regularization=1e3)
  np.testing.assert_allclose(weights, [1 / 3] * 3)


def test_deterministic():
  first, again = (blend_weights.learn(*problem(), "logits", seed=3) for _ in range(2))
  np.testing.assert_array_equal(first, again)


def test_one_model_has_all_the_weight():
  np.testing.assert_array_equal(
      blend_weights.learn(*problem([1.0]), "probabilities"), [1.0])


def test_errors():
  scores, hits, num_positives = problem()
  with pytest.raises(ValueError, match="videos without labels: --eval_data_pattern must"):
    blend_weights.learn(scores, hits & False, 0, "probabilities")
  with pytest.raises(ValueError, match="Unknown --averaging .mean."):
    blend_weights.learn(scores, hits, num_positives, "mean")
  for num_folds in (1, 301):
    with pytest.raises(ValueError, match=f"--num_folds={num_folds} .* 300 videos"):
      blend_weights.cross_fit(scores, hits, num_positives, fit, num_folds=num_folds)
  scores[1, 17, 3] = np.nan
  with pytest.raises(ValueError, match="video 17 hold NaN"):
    blend_weights.learn(scores, hits, num_positives, "probabilities")


def test_starts_where_the_search_ended_unless_equal_weights_are_better():
  scores, *rest = problem((0.5, 0.6, 0.7))
  for start in ((0.6, 0.3, 0.1), (0.0, 0.0, 1.0)):
    weights = blend_weights.learn(scores, *rest, "probabilities", start=start)
    learned = value(weights, scores, *rest, blend_weights.REGULARIZATION)
    for other in (start, [1 / 3] * 3):
      assert learned >= value(other, scores, *rest, blend_weights.REGULARIZATION)


def fit(scores, hits, num_positives, classes, **settings):
  return blend_weights.learn(scores, hits, num_positives, "probabilities", **settings)


def test_every_video_is_blended_by_weights_learned_without_it():
  scores, hits, num_positives = problem(n=60)
  blended, weights = blend_weights.cross_fit(scores, hits, num_positives, fit, seed=1,
                                             num_folds=4)
  assert blended.shape == hits.shape and blended.dtype == np.float32
  assert weights.shape == (4, 3)
  by_fold = np.stack([blend(scores, fold_weights) for fold_weights in weights])
  folds = np.argmax((by_fold == blended).all(axis=2), axis=0)
  np.testing.assert_array_equal(np.bincount(folds), [15] * 4)
  np.testing.assert_array_equal(by_fold[folds, np.arange(60)], blended)
  for fold in range(4):
    # Other labels of the excluded videos do not change the weights.
    changed = hits.copy()
    changed[folds == fold] = np.roll(hits[folds == fold], 5, axis=1)
    _, others = blend_weights.cross_fit(scores, changed, num_positives, fit, seed=1,
                                        num_folds=4)
    np.testing.assert_array_equal(others[fold], weights[fold])


def test_gain_over_noise_is_not_reported():
  """Weights seem to improve random scores, but not on other videos."""
  rng = np.random.default_rng(0)
  scores = rng.random((6, 80, 24)).astype(np.float32)
  hits = rng.random((80, 24)) < 0.05
  num_positives = hits.sum()
  equal = gap(blend(scores, [1 / 6] * 6), hits, num_positives)
  weights = blend_weights.learn(scores, hits, num_positives, "probabilities",
                                regularization=0.0)
  blended, _ = blend_weights.cross_fit(
      scores, hits, num_positives, functools.partial(fit, regularization=0.0))
  inside = gap(blend(scores, weights), hits, num_positives)
  assert inside > equal + 0.003
  assert gap(blended, hits, num_positives) < (inside + equal) / 2


def test_cross_fit_of_weights_by_class():
  scores, hits, num_positives = problem(n=80)
  classes = np.tile(np.arange(24), (80, 1))

  def by_class(scores, hits, num_positives, classes):
    return learn_by_class(scores, hits, classes, 24, "probabilities",
                          fit(scores, hits, num_positives, classes))

  blended, weights = blend_weights.cross_fit(
      scores, hits, num_positives, by_class, classes=classes, num_folds=2)
  assert weights.shape == (2, 3, 24)
  np.testing.assert_allclose(weights.sum(axis=1), 1)
  by_fold = [blend(scores, fold_weights, classes) for fold_weights in weights]
  assert np.all((blended == by_fold[0]).all(axis=1) | (blended == by_fold[1]).all(axis=1))


def calibrated(num_models=3, seed=0):
  """`(scores, hits)`: calibrated models of different sharpness."""
  rng = np.random.default_rng(seed)
  logits = rng.normal(-1, 2, (200, 10))
  hits = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
  noise = rng.normal(size=(num_models, *logits.shape))
  noise *= np.linspace(0.5, 2, num_models)[:, np.newaxis, np.newaxis]
  return (1 / (1 + np.exp(-logits - noise))).astype(np.float32), hits


def cross_entropy(scores, hits, name, weights):
  """Cross entropy in plain numpy, float64."""
  scores = scores.astype(np.float64)
  if name == "probabilities":
    p = np.tensordot(weights, scores, 1)
  else:
    p = 1 / (1 + np.exp(-np.tensordot(weights, np.log(scores / (1 - scores)), 1)))
  return -np.mean(np.log(np.where(hits, p, 1 - p)).sum(axis=1))


@pytest.mark.parametrize("name", ["probabilities", "logits"])
@pytest.mark.parametrize("seed", range(3))
def test_no_grid_point_has_a_smaller_cross_entropy(name, seed):
  scores, hits = calibrated(seed=seed)
  weights = least_cross_entropy(averaging.transform(scores, name), hits, name)
  assert weights.min() >= 0 and weights.sum() == pytest.approx(1)
  grid = [(i / 50, j / 50, (50 - i - j) / 50) for i, j in
          itertools.product(range(51), repeat=2) if i + j <= 50]
  best = min(cross_entropy(scores, hits, name, point) for point in grid)
  assert cross_entropy(scores, hits, name, weights) <= best * (1 + 1e-7)


@pytest.mark.parametrize("name", ["probabilities", "logits"])
def test_cross_entropy_does_not_depend_on_the_order_of_models(name):
  scores, hits = calibrated(5)
  weights = least_cross_entropy(averaging.transform(scores, name), hits, name)
  turned = least_cross_entropy(averaging.transform(scores[::-1], name), hits, name)
  np.testing.assert_allclose(turned[::-1], weights, atol=1e-4)


def test_cross_entropy_does_not_depend_on_padding():
  scores, hits = calibrated()
  padded = np.pad(scores, [(0, 0), (0, 0), (0, 7)])
  for name in ("probabilities", "logits"):
    np.testing.assert_allclose(
        least_cross_entropy(averaging.transform(padded, name),
                            np.pad(hits, [(0, 0), (0, 7)]), name),
        least_cross_entropy(averaging.transform(scores, name), hits, name), atol=1e-3)


def test_cross_entropy_of_a_certain_and_wrong_score_is_finite():
  scores = np.array([[[1.0, 0.0]], [[0.5, 0.5]]], np.float16)
  hits = np.array([[False, True]])
  for name in ("probabilities", "logits"):
    weights = least_cross_entropy(averaging.transform(scores, name), hits, name)
    assert weights[1] > 0.9


def test_cross_entropy_gives_one_model_and_ranks_equal_weights():
  scores, hits = calibrated(1)
  np.testing.assert_array_equal(least_cross_entropy(scores, hits, "probabilities"), [1])
  scores, hits = calibrated(4)
  ranks = averaging.transform(scores, "ranks")
  np.testing.assert_array_equal(least_cross_entropy(ranks, hits, "ranks"), [0.25] * 4)
