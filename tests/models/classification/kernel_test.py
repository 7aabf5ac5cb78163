# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The kernel regression: features, scores and the solution before training."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models.classification import kernel
from yt8m.models.layers import random_features
from yt8m.training import feature_start


def videos(n=400, seed=0):
  """Two classes that no linear function of x finds: x₀ x₁ > 0, and |x| large."""
  rng = np.random.default_rng(seed)
  x = rng.normal(size=(n, 2)).astype(np.float32)
  return x, np.stack([x[:, 0] * x[:, 1] > 0, (x * x).sum(axis=1) > 2, x[:, 0] > 9], 1)


def passes(x, labels, batch=150):
  return lambda: ((tf.constant(x[start:start + batch]), labels[start:start + batch])
                  for start in range(0, len(x), batch))


def solved(**hparams):
  head = models.Kernel(3, **{"num_features": 60, **hparams})
  x, labels = videos()
  head(x[:1])
  head.start_from_features(passes(x, labels))
  return head, x, labels


def test_scores_of_landmarks_in_numpy():
  head, x, _ = solved(bandwidth=0.7, ridge=0.1)
  landmarks = head.features.landmarks.numpy()
  assert set(map(tuple, landmarks)) <= set(map(tuple, x))
  phi = np.exp(-((x[:, None] - landmarks) ** 2).sum(-1) / (2 * 0.7 ** 2))
  weights, biases = head.logits.get_weights()
  expected = 1 / (1 + np.exp(-phi @ weights - biases))
  np.testing.assert_allclose(head(x), expected, atol=1e-4)


def test_with_all_videos_as_landmarks_it_is_the_exact_kernel():
  head, x, labels = solved(num_features=500, bandwidth=0.7, ridge=0.1)
  squares = ((x[:, None] - x) ** 2).sum(-1)
  gram = np.exp(-squares / (2 * 0.7 ** 2)).astype(np.float64)
  exact = gram @ np.linalg.solve(
      gram + 0.1 * np.eye(len(x)), labels - labels.mean(axis=0))
  z = np.log(head(x).numpy() / (1 - head(x).numpy()))
  for c in range(2):  # Log-odds are linear in the scores of the regression.
    assert np.corrcoef(z[:, c], exact[:, c])[0, 1] > 0.9999


def test_landmarks_are_drawn_from_all_videos_by_seed():
  first, x, _ = solved()
  places = [np.nonzero((x == u).all(1))[0][0] for u in first.features.landmarks.numpy()]
  assert len(set(places)) == 60 and min(places) < 100 and max(places) >= 300
  np.testing.assert_array_equal(first.features.landmarks, solved()[0].features.landmarks)
  assert (solved(seed=1)[0].features.landmarks.numpy()
          != first.features.landmarks.numpy()).any()


def test_scores_of_random_features_in_numpy():
  head, x, _ = solved(bandwidth=0.7, feature_map="fourier")
  directions, phases, _ = head.features.get_weights()
  phi = np.sqrt(2 / 60) * np.cos(x @ directions / 0.7 + phases)
  weights, biases = head.logits.get_weights()
  expected = 1 / (1 + np.exp(-phi @ weights - biases))
  np.testing.assert_allclose(head(x), expected, atol=1e-5)


def test_an_offset_of_all_videos_changes_nothing():
  x, labels = videos()
  found = []
  for offset in (0, 256):
    head = models.Kernel(3, num_features=60)
    head(x[:1])
    head.start_from_features(passes(x + offset, labels))
    found.append(head(x + offset).numpy())
  np.testing.assert_allclose(found[1], found[0], atol=2e-3)


@pytest.mark.parametrize("feature_map", kernel.FEATURE_MAPS)
def test_without_videos_there_is_nothing_to_solve(feature_map):
  head = models.Kernel(3, num_features=5, feature_map=feature_map)
  head(np.zeros((1, 2), np.float32))
  with pytest.raises(ValueError, match="None of 0 videos"):
    head.start_from_features(lambda: [])


@pytest.mark.parametrize("feature_map", kernel.FEATURE_MAPS)
def test_the_solution_finds_what_is_not_linear(feature_map):
  head, _, _ = solved(feature_map=feature_map)
  x, labels = videos(seed=1)
  scores = head(x).numpy()
  assert np.mean((scores[:, :2] > 0.5) == labels[:, :2]) > 0.9
  # Right on average over the classes, not for each of them.
  np.testing.assert_allclose(scores.mean(), labels.mean(), atol=0.03)


def test_the_bandwidth_is_a_multiple_of_the_median_distance_of_the_first_batch():
  head, x, _ = solved(bandwidth_factor=2.0, feature_map="fourier")
  expected = 1 / (2 * random_features.median_distance(x[:150]))
  np.testing.assert_allclose(head.features.inverse_bandwidth, expected, rtol=1e-5)
  np.testing.assert_allclose(
      solved(bandwidth=0.5)[0].features.inverse_bandwidth, 2.0, rtol=1e-6)


def test_training_goes_on_from_the_solution():
  head, _, _ = solved()
  assert {id(v) for v in head.trainable_variables} == {
      id(v) for v in head.logits.trainable_variables}


@pytest.mark.parametrize("options", [
    {"classifier": "kernel"},
    {"classifier": "kernel", "mixture": {"branches": 2}},
    {"classifier": "kernel", "fusion": {"name": "late2"}},
    {"classifier": {"name": "hidden", "units": 5, "head": "kernel"}},
    {"classifier": {"name": "gated", "head": "kernel"}},
    {"classifier": {"name": "joint_conditional", "head": "kernel"}}])
@pytest.mark.parametrize("level", ["video", "frame"])
def test_every_model_passes_the_inputs_of_the_classifier(options, level, monkeypatch):
  """The inputs that the start sees are those of the classifier in a call."""
  model = models.VideoModel(
      descriptors.NUM_CLASSES, descriptors.SPECS[level], **options,
      aggregation="mean" if level == "frame" else None).build_variables()
  batch = descriptors.batch(level, rows=20)
  seen, expected = [], []
  monkeypatch.setattr(models.Kernel, "start_from_features",
                      lambda self, videos: seen.extend(videos()))
  feature_start.start_from_features(model, lambda: [batch])
  call = models.Kernel.call
  monkeypatch.setattr(models.Kernel, "call", lambda self, x: (
      expected.append(x), call(self, x))[1])
  model({key: batch[key] for key in ("features", "num_frames")})
  first = expected[:len(seen)]  # joint_conditional goes on with further steps.
  for (x, labels), other in zip(seen, first, strict=True):
    np.testing.assert_allclose(x, other, atol=1e-6)
    np.testing.assert_array_equal(labels, batch["labels"])


def test_without_labels():
  head = models.Kernel(3, num_features=9)
  x, labels = videos()
  head(x[:1])
  with pytest.raises(ValueError, match="None of 400 videos has a label"):
    head.start_from_features(passes(x, np.zeros_like(labels)))


@pytest.mark.parametrize("hparams, message", [
    ({"num_features": 0}, "num_features is 0, must be at least 1"),
    ({"bandwidth": -1.0}, "bandwidth is -1.0, must be above 0, or 0 for the median"),
    ({"bandwidth_factor": 0.0}, "bandwidth_factor is 0.0, must be above 0"),
    ({"ridge": 0.0}, "ridge is 0.0, must be above 0")])
def test_errors_name_the_values(hparams, message):
  with pytest.raises(ValueError, match=message):
    models.Kernel(3, **hparams)
