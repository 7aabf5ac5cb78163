# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A calibration that is fitted to synthetic scores helps on other videos."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import label_sets
from yt8m.eval.metrics import streaming
from yt8m.training import calibrating

NUM_CLASSES = 30
SMALL = {"label_units": 16, "num_candidates": 10, "units": 8}


def videos(count, seed):
  """Returns SYNTHETIC scores, too sure of themselves, and labels out of 25 label sets."""
  sets = np.random.default_rng(0).random((25, NUM_CLASSES)) < 0.12
  rng = np.random.default_rng(seed)
  labels = sets[rng.integers(len(sets), size=count)]
  logits = 2.5 * labels - 2.5 + rng.normal(scale=2.0, size=labels.shape)
  return (1 / (1 + np.exp(-2 * logits))).astype(np.float32), labels


def log_loss(scores, labels):
  scores = np.clip(scores, 1e-6, 1 - 1e-6)
  return -np.log(np.where(labels, scores, 1 - scores)).sum(axis=1).mean()


def fitted(seed=0, parts=calibrating.PARTS):
  scores, labels = videos(400, 1)
  layer = calibrating.make(label_sets.LabelSets.from_matrix(labels), seed=seed,
                           parts=parts, **SMALL)
  calibrating.fit(layer, scores, labels, seed, parts)
  return layer


@pytest.fixture(scope="module")
def layer():
  return fitted()


def test_scores_of_other_videos_get_better(layer):
  scores, labels = videos(400, 2)
  calibrated = layer(tf.constant(scores)).numpy()
  assert streaming.gap(calibrated, labels) > streaming.gap(scores, labels) + 0.02
  assert log_loss(calibrated, labels) < 0.7 * log_loss(scores, labels)


def test_a_seed_determines_all_weights(layer):
  for one, other in zip(layer.get_weights(), fitted().get_weights(), strict=True):
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("part", calibrating.PARTS)
def test_each_part_alone(part):
  scores, labels = videos(400, 2)
  alone = fitted(parts=[part])
  calibrated = alone(tf.constant(scores)).numpy()
  if part == "calibrator":
    assert log_loss(calibrated, labels) < 0.9 * log_loss(scores, labels)
  else:
    assert streaming.gap(calibrated, labels) > streaming.gap(scores, labels) + 0.01
    # Without the calibrator, candidates have the same scores as without candidates.
    blend = alone.describe(tf.constant(scores))[2]
    np.testing.assert_allclose(calibrated, blend, atol=1e-5)
  assert (alone.num_steps == 0) == (part != "mean_field")
  assert (alone.num_sets == 1) == (part != "label_sets")
  assert bool(alone.posterior_share.numpy()) == (part == "label_sets")


def test_what_only_a_member_knows_is_used():
  blend, labels = videos(800, 1)
  # SYNTHETIC members, one of which is right, but not as sure as the blend.
  knows = 0.3 + 0.4 * labels.astype(np.float32)
  members = np.stack([np.full_like(knows, 0.5), knows], axis=1)
  gaps = []
  for found in (None, members):
    layer = calibrating.make(label_sets.LabelSets.from_matrix(labels[:400]), **{
        **SMALL, "num_candidates": NUM_CLASSES, "num_members": 0 if found is None else 2})
    ours, others = (None, None) if found is None else (found[:400], found[400:])
    calibrating.fit(layer, blend[:400], labels[:400], members=ours)
    gaps.append(streaming.gap(
        calibrating.calibrated(layer, blend[400:], others), labels[400:]))
  assert gaps[1] > gaps[0] + 0.2


def test_an_unknown_part_is_named():
  with pytest.raises(ValueError, match="Unknown part 'sets'.*mean_field"):
    calibrating.check_parts(["sets"])


def test_the_most_frequent_sets_are_known(monkeypatch):
  monkeypatch.setattr(calibrating, "_MOST_SETS", 2)
  sets, counts = calibrating.known_sets(label_sets.LabelSets.from_matrix(
      np.array([[1, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])))
  assert sets.padded(2).tolist() == [[2, -1], [0, 1]] and counts.tolist() == [3, 2]
  with pytest.raises(ValueError, match="no labels to calibrate with"):
    calibrating.known_sets(label_sets.LabelSets.from_matrix(np.zeros((3, 3))))


def test_too_few_videos_are_an_error(layer):
  scores, labels = videos(15, 3)
  with pytest.raises(ValueError, match="Only 15 held-out videos, and at least 16"):
    calibrating.fit(layer, scores, labels)
