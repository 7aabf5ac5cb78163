# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from yt8m.eval.blending.class_weights import learn_by_class

C = 4


@pytest.fixture(name="data")
def _data():
  """Model 0 knows the even classes, model 1 the odd ones; class 3 is in no slot."""
  rng = np.random.default_rng(0)
  classes = np.tile([0, 1, 2, C], (500, 1))
  hits = rng.random(classes.shape) < 0.4
  hits[:, 3] = False
  sure = np.where(hits, 0.8, 0.1)
  unsure = np.full(hits.shape, 0.4)
  even = classes % 2 == 0
  scores = np.stack([np.where(even, sure, unsure), np.where(even, unsure, sure)])
  scores[:, classes == C] = 0
  return scores.astype(np.float32), hits, classes


def test_each_class_gets_its_own_model(data):
  weights = learn_by_class(*data, C, "probabilities", np.array([0.5, 0.5]),
                           pseudo_count=1.0)
  assert weights.shape == (2, C)
  np.testing.assert_allclose(weights.sum(axis=0), 1)
  assert weights[0, 0] > 0.95 and weights[1, 1] > 0.95 and weights[0, 2] > 0.95


def test_a_class_in_no_slot_has_the_global_weights(data):
  weights = learn_by_class(*data, C, "probabilities", np.array([0.3, 0.7]))
  np.testing.assert_allclose(weights[:, 3], [0.3, 0.7])


def test_shrinks_toward_the_global_weights(data):
  globally = np.array([0.3, 0.7])
  distances = []
  for count in (1, 100, 1e4, 1e8):
    weights = learn_by_class(*data, C, "probabilities", globally, pseudo_count=count)
    distances.append(np.abs(weights - globally[:, np.newaxis]).max())
  assert distances == sorted(distances, reverse=True)
  assert distances[0] > 0.5 and distances[-1] < 1e-4


def test_one_step_of_weights_by_class_by_hand(data, monkeypatch):
  monkeypatch.setattr("yt8m.eval.blending.class_weights._EM_STEPS", 1)
  scores, hits, classes = data
  prior, count = np.array([0.3, 0.7]), 20
  weights = learn_by_class(scores, hits, classes, C, "probabilities", prior,
                           pseudo_count=count)
  for c in range(3):
    q = np.where(hits, scores, 1 - scores)[:, :, c].astype(np.float64)
    r = prior[:, np.newaxis] * q / (prior @ q)
    expected = (count * prior + r.sum(axis=1)) / (count + 500)
    np.testing.assert_allclose(weights[:, c], expected, rtol=1e-5)


def test_a_label_that_no_model_expects_says_nothing(data):
  scores, hits, classes = data
  scores[:, 7, 1], hits[7, 1] = 0, True
  weights = learn_by_class(scores, hits, classes, C, "probabilities", np.full(2, 0.5))
  assert np.all(np.isfinite(weights))
  np.testing.assert_allclose(weights.sum(axis=0), 1)


def test_errors_of_weights_by_class(data):
  with pytest.raises(ValueError, match="need --averaging=probabilities, not logits"):
    learn_by_class(*data, C, "logits", np.array([0.5, 0.5]))
  with pytest.raises(ValueError, match="pseudo_count=0"):
    learn_by_class(*data, C, "probabilities", np.array([0.5, 0.5]),
                   pseudo_count=0)
