# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What an ensemble is never: worse than its best member, too large, or idle in part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from yt8m.eval.blending import averaging
from yt8m.eval.blending import choosing
from yt8m.eval.blending import contributions
from yt8m.eval.blending import gap
from yt8m.eval.blending import search as ensemble_search
from yt8m.eval.blending import weights as blend_weights

WAYS = [*((method, True) for method in ensemble_search.METHODS),
        ("beam", False), ("exhaustive", False)]


def problem(seed, num_values=10**6, num_candidates=6, num_videos=40):
  """Returns random models of random quality; few values make many ties."""
  rng = np.random.default_rng(seed)
  hits = rng.random((num_videos, 24)) < 0.1
  quality = rng.uniform(0, 0.6, (num_candidates, 1, 1))
  scores = (quality * hits + rng.random((num_candidates, *hits.shape))) / 2
  scores = np.ceil(scores * num_values) / num_values
  return gap.BlendScorer(scores.astype(np.float16), hits, hits.sum() + 1)


def choose(scorer, method="beam", learns=True, sizes=None, **options):
  names = [f"m{i}" for i in range(len(scorer.transformed))]
  values = dict(num_models=3, budget_bytes=2**30, beam_width=3) | options
  return choosing.choose(
      scorer, names, sizes or [1] * len(names), choosing.Options(
          search=method, averaging="probabilities", learn_weights=learns, **values))


def gap_of(scorer, ensemble):
  return gap.gap(averaging.blend(scorer.of(ensemble.models), ensemble.weights),
                 scorer.hits, scorer.num_positives)


@pytest.mark.parametrize("method, learns", WAYS)
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10**6), num_values=st.sampled_from([2, 5, 10**6]),
       num_models=st.integers(1, 8), budget=st.integers(3, 20))
def test_never_worse_than_the_best_single_model(
    method, learns, seed, num_values, num_models, budget):
  scorer = problem(seed, num_values)
  sizes = np.random.default_rng(seed).integers(1, 10, 6).tolist()
  if budget < min(sizes):
    budget = min(sizes)
  _, found = choose(scorer, method, learns, sizes, num_models=num_models,
                    budget_bytes=budget, weight_regularization=seed % 3 / 100)
  assert found.gap == gap_of(scorer, found)
  assert found.gap >= max(scorer((), (), i) for i in range(6) if sizes[i] <= budget)
  assert len(set(found.models)) == len(found.models) <= num_models
  assert sum(sizes[i] for i in found.models) <= budget
  assert found.weights.sum() == pytest.approx(1) and min(found.weights) >= 0
  assert len(found.models) == 1 or min(found.adds) >= contributions.LEAST_GAIN


@pytest.mark.parametrize("method, learns", WAYS)
def test_copies_and_noise_are_left_out(method, learns):
  scorer = problem(7, num_videos=150)
  useful = np.asarray(scorer.transformed[:3])
  noise = np.random.default_rng(0).random((2, *scorer.hits.shape)).astype(np.float16)
  more = gap.BlendScorer(np.concatenate([useful, useful, noise]), scorer.hits,
                         scorer.num_positives)
  _, found = choose(more, method, learns, num_models=8)
  assert not {6, 7} & set(found.models)
  originals = [i % 3 for i in found.models]
  if learns:  # With equal weights, a copy doubles a weight.
    assert len(set(originals)) == len(originals)


@pytest.mark.parametrize("method, learns", WAYS)
def test_adds_is_what_the_others_lack(method, learns):
  scorer = problem(3, num_videos=100)
  _, found = choose(scorer, method, learns)
  assert len(found.models) == len(found.adds) > 1
  for i, adds in enumerate(found.adds):
    rest, start = np.delete(found.models, i), np.delete(found.weights, i)
    if not learns:
      weights = np.full(len(rest), 1 / len(rest))
    elif method == "repetition":
      weights = ensemble_search.repeat(
          gap.BlendScorer(scorer.of(rest), scorer.hits, scorer.num_positives))
    else:
      weights = blend_weights.learn(scorer.of(rest), scorer.hits, scorer.num_positives,
                                    "probabilities", start=start / start.sum())
    assert adds == found.gap - gap.gap(averaging.blend(scorer.of(rest), weights),
                                       scorer.hits, scorer.num_positives)


def test_one_model_adds_all_that_it_scores():
  _, found = choose(problem(0), num_models=1)
  assert found.adds == (found.gap,) and found.weights.tolist() == [1]


def test_the_best_single_model_replaces_a_worse_blend():
  scorer = problem(1, num_videos=200)
  ranked = sorted(range(6), key=lambda i: scorer((), (), i))
  found = contributions.without_useless(
      scorer, ranked[:2], np.array([0.5, 0.5]), lambda models, start: start, [1] * 6,
      ranked[-1])
  assert found.models == (ranked[-1],) and found.gap == scorer((), (), ranked[-1])


@pytest.mark.parametrize("method, learns", WAYS)
def test_deterministic(method, learns):
  scorer = problem(2)
  first = choose(scorer, method, learns)
  again = choose(scorer, method, learns)
  assert first[0] == again[0] and first[1].adds == again[1].adds
  np.testing.assert_array_equal(first[1].weights, again[1].weights)


def test_repetition_needs_its_weights():
  with pytest.raises(ValueError, match="leave out --nolearn_weights"):
    choose(problem(0), "repetition", learns=False)
