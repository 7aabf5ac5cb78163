# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The posterior over label sets against a sum over all sets in numpy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import label_sets
from yt8m.models.calibration import label_set_posterior

NUM_CLASSES = 4
SETS = [s for size in (1, 2, 3) for s in itertools.combinations(range(NUM_CLASSES), size)]


def layer(sets=SETS, counts=None):
  sizes = np.array([len(s) for s in sets])
  posterior = label_set_posterior.LabelSetPosterior(
      NUM_CLASSES, len(sets), int(sizes.sum()))
  posterior.build((None, NUM_CLASSES))
  posterior.set_label_sets(
      label_sets.LabelSets(np.concatenate(sets), sizes, NUM_CLASSES),
      np.arange(1, len(sets) + 1) if counts is None else counts,
      np.array([-1.0, -2.0, 0.5, -3.0], np.float32))
  return posterior


@pytest.mark.parametrize("num_videos", [0, 1, 32, 70])
def test_the_sum_over_all_sets(num_videos):
  posterior = layer()
  posterior.factors.assign([0.7, 0.4, 0.9])
  z = np.random.default_rng(0).normal(size=(num_videos, NUM_CLASSES)).astype(np.float32)
  # Of unknown shape, as in an exported model.
  marginals, largest = tf.function(posterior, input_signature=[
      tf.TensorSpec([None, NUM_CLASSES])])(tf.constant(z))
  members = np.array([[c in s for c in range(NUM_CLASSES)] for s in SETS], float)
  scores = (members @ (0.7 * z - 0.9 * np.array([-1.0, -2.0, 0.5, -3.0])).T
            + 0.4 * np.log(np.arange(1, len(SETS) + 1))[:, np.newaxis])
  for temperature, marginal in zip(posterior.TEMPERATURES, marginals, strict=True):
    weights = np.exp(scores / temperature)
    weights /= weights.sum(axis=0)
    np.testing.assert_allclose(marginal, (members.T @ weights).T, atol=1e-5)
    if temperature == 1:
      np.testing.assert_allclose(
          largest, weights.max(axis=0, initial=0), atol=1e-5)


def test_a_set_that_is_certain():
  marginals, largest = layer()(tf.constant([[50.0, 50.0, -50.0, -50.0]]))
  np.testing.assert_allclose(marginals[0], [[1, 1, 0, 0]], atol=1e-5)
  np.testing.assert_allclose(largest, [1], atol=1e-5)


def test_without_sets_nothing_is_probable():
  posterior = label_set_posterior.LabelSetPosterior(NUM_CLASSES, 3, 5)
  marginals, _ = posterior(tf.zeros([2, NUM_CLASSES]))
  np.testing.assert_array_equal(marginals[0], np.zeros((2, NUM_CLASSES)))
