# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from yt8m.eval.blending import averaging


@pytest.fixture(name="scores")
def _scores():
  """Two models, three videos, five slots; the last slot is padding."""
  scores = np.zeros((2, 3, 5), np.float16)
  scores[0] = [[0.5, 0.25, 0.0, 0.0, 0], [0.9, 0.0, 0.1, 0.0, 0], [0.5, 0, 0, 0.125, 0]]
  scores[1] = [[0.5, 0.75, 0.5, 0.0, 0], [0.2, 0.0, 0.3, 0.4, 0], [0, 0, 0.25, 0.0, 0]]
  return scores


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def logit(p):
  p = np.clip(np.asarray(p, np.float64), 1e-6, 1 - 1e-6)
  return np.log(p / (1 - p))


def test_probabilities_are_themselves(scores):
  transformed = averaging.transform(scores, "probabilities")
  assert transformed is scores
  blended = averaging.blend(transformed, [0.25, 0.75])
  assert blended.dtype == np.float32
  np.testing.assert_allclose(
      blended, np.tensordot([0.25, 0.75], scores.astype(np.float64), 1), atol=1e-7)
  assert averaging.output(blended, "probabilities") is blended


def test_logits_of_what_was_stored_give_the_sigmoid_of_the_mean(scores):
  transformed = averaging.transform(scores, "logits")
  blended = averaging.output(averaging.blend(transformed, [0.25, 0.75]), "logits")
  both = np.all(scores > 0, axis=0)
  expected = sigmoid(0.25 * logit(scores[0]) + 0.75 * logit(scores[1]))
  np.testing.assert_allclose(blended[both], expected[both], rtol=1e-5)


def test_logit_of_what_was_not_stored(scores):
  transformed = averaging.transform(scores, "logits")
  alone = [averaging.output(model_scores, "logits") for model_scores in transformed]
  # Truncated at two classes a video: half of the smallest stored score.
  np.testing.assert_allclose(alone[0][0, 2], 0.125, rtol=1e-3)
  np.testing.assert_allclose(alone[0][2, 2], 0.0625, rtol=1e-3)
  # Model 1 stored three classes of the others and one of this: nothing was truncated.
  np.testing.assert_allclose(alone[1][2, [0, 3]], 0, atol=1.1e-6)
  np.testing.assert_array_equal(transformed[:, :, 4], 0)
  assert np.all(alone[0][:, 4] == 0)


def test_extreme_scores_have_finite_logits():
  scores = np.array([[[1.0, 0.5, 6e-8]]], np.float16)
  transformed = averaging.transform(scores, "logits")
  assert transformed.min() >= 0
  np.testing.assert_allclose(averaging.output(transformed[0], "logits"),
                             [[1 - 1e-6, 0.5, 1e-6]], atol=1e-6)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=200))
def test_ranks_are_the_distribution_function(numbers):
  scores = np.array(numbers, np.float32) / 64
  knots = averaging.rank_knots(np.append(scores, [0, 0]))
  ranks = averaging.apply_knots(scores, knots)
  assert knots[0] == 0 and np.all(np.diff(knots) >= 0)
  assert np.all(ranks > 0) and np.all(ranks[scores == scores.max()] == 1)
  below = np.array([np.mean(scores < score) for score in scores])
  up_to = np.array([np.mean(scores <= score) for score in scores])
  slack = 1 / len(scores) + 1e-6
  assert np.all(ranks >= below - slack) and np.all(ranks <= up_to + slack)
  order = np.argsort(scores, kind="stable")
  assert np.all(np.diff(ranks[order]) >= 0)


def test_ranks_of_many_scores_take_few_knots():
  scores = np.random.default_rng(0).random(50_000).astype(np.float32) ** 3
  knots = averaging.rank_knots(scores)
  assert knots.shape == (averaging.MAX_KNOTS,)
  exact = np.argsort(np.argsort(scores)) / len(scores)
  np.testing.assert_allclose(averaging.apply_knots(scores, knots), exact, atol=2e-3)


def test_ranks_by_own_and_by_given_knots(scores):
  knots = [averaging.rank_knots(model_scores) for model_scores in scores]
  own = averaging.transform(scores, "ranks")
  np.testing.assert_array_equal(own, averaging.transform(scores, "ranks", knots))
  np.testing.assert_array_equal(own == 0, scores == 0)
  assert np.any(own != averaging.transform(scores, "ranks", knots[::-1]))


def test_ranks_do_not_change_with_an_increasing_function_of_the_scores(scores):
  np.testing.assert_allclose(
      averaging.transform(scores, "ranks"),
      averaging.transform((scores.astype(np.float32) / 2).astype(np.float16), "ranks"),
      atol=1e-6)


@pytest.mark.parametrize("name", averaging.AVERAGINGS)
def test_one_model_keeps_the_order_of_its_scores(name):
  scores = np.random.default_rng(0).permutation(900).reshape(1, 30, 30) / np.float32(1000)
  blended = averaging.blend(averaging.transform(scores, name), [1.0])
  np.testing.assert_array_equal(np.argsort(blended.ravel()), np.argsort(scores.ravel()))


def test_weights_by_class(scores):
  classes = np.array([[0, 2, 3, 4, 5], [1, 2, 3, 4, 5], [0, 1, 2, 4, 5]])
  weights = np.random.default_rng(0).random((2, 5))
  blended = averaging.blend(scores, weights, classes)
  for i, u in np.ndindex(3, 5):
    c = classes[i, u]
    expected = 0 if c == 5 else weights[:, c] @ scores[:, i, u].astype(float)
    assert blended[i, u] == pytest.approx(expected, abs=1e-6)
  np.testing.assert_allclose(
      averaging.blend(scores, np.repeat([[0.3], [0.7]], 5, axis=1), classes),
      averaging.blend(scores, [0.3, 0.7]), atol=1e-7)


def test_errors(scores):
  with pytest.raises(ValueError, match="Unknown --averaging .medians.. Valid: "):
    averaging.transform(scores, "medians")
  with pytest.raises(ValueError, match="no ranks"):
    averaging.rank_knots(np.zeros((3, 4)))
  for bad in (np.nan, -0.5, 1.5):
    wrong = scores.copy()
    wrong[1, 2, 3] = bad
    for name in averaging.AVERAGINGS:
      with pytest.raises(ValueError, match="Model 1 .* video 2"):
        averaging.transform(wrong, name)
