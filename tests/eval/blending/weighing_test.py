# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from yt8m.eval.blending import averaging
from yt8m.eval.blending import gap
from yt8m.eval.blending import weighing


@pytest.fixture(name="scorer")
def _scorer():
  """Models of different noise; the last one is noise alone."""
  rng = np.random.default_rng(0)
  hits = rng.random((150, 24)) < 0.1
  noise = np.reshape([0.8, 1.0, 1.2, 2.0], (4, 1, 1)) * rng.random((4, 150, 24))
  scores = np.concatenate([hits + noise, rng.random((1, 150, 24))]) / 3
  return gap.BlendScorer(scores.astype(np.float32), hits, hits.sum())


def gap_of(scorer, models, weights):
  blended = averaging.blend(scorer.of(models), np.array(weights) / np.sum(weights))
  return gap.gap(blended, scorer.hits, scorer.num_positives)


def test_counts_grow_by_one(scorer):
  counts = weighing.Counts(scorer)
  assert counts.extend((), (), 2)[0] == (1.0,)
  assert counts.extend((2, 0), (1.0, 3.0), 1)[0] == (1.0, 3.0, 1.0)
  weights, value = counts.extend((2, 0), (1.0, 3.0), 0)
  assert weights == (1.0, 4.0)
  assert value == pytest.approx(gap_of(scorer, (2, 0), weights), abs=1e-6)


def test_a_new_model_gets_the_best_of_some_shares(scorer):
  learned = weighing.Learned(scorer, 0.0, seed=0)
  parent = (0.7, 0.3)
  for added in (2, 3, 4):
    weights, value = learned.extend((0, 1), parent, added)
    assert sum(weights) == pytest.approx(1) and weights[0] / weights[1] == (
        pytest.approx(7 / 3))
    shares = [1 / 12, 1 / 6, 1 / 3]
    tried = [gap_of(scorer, (0, 1, added), (*(w * (1 - s) for w in parent), s))
             for s in shares]
    assert value == pytest.approx(max(tried), abs=1e-6)
    assert weights[2] == pytest.approx(shares[int(np.argmax(tried))])


def test_refined_weights_are_better_and_sum_to_1(scorer):
  learned = weighing.Learned(scorer, 0.01, seed=0)
  models, start = (0, 3, 4), (0.2, 0.4, 0.4)
  weights, value = learned.refine(models, start)
  assert sum(weights) == pytest.approx(1) and min(weights) >= 0
  penalty = 0.01 * np.sum((np.array(weights) - 1 / 3) ** 2)
  assert value == pytest.approx(gap_of(scorer, models, weights) - penalty, abs=1e-6)
  assert value > gap_of(scorer, models, start)
  assert learned.refine(models, start) == (weights, value)


def test_the_name_tells_settings_apart(scorer):
  names = {weighing.Counts(scorer).name, *(
      weighing.Learned(scorer, regularization, seed).name
      for regularization in (0.01, 0.1) for seed in (0, 1))}
  assert len(names) == 5
