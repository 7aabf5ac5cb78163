# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A head that reads the observed labels, step by step, against numpy."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import label_network

C, DIM = 7, 5


def sigmoid(z):
  return 1.0 / (1.0 + np.exp(-z))


def make(seed=0, **hparams):
  """A logistic head with random weights, and five inputs."""
  layer = models.JointConditional(C, units=4, **hparams)
  x = tf.constant(np.random.default_rng(seed).normal(size=(5, DIM)), tf.float32)
  layer(x)
  rng = np.random.default_rng(seed + 1)
  for weight in layer.weights:
    if weight.dtype != "int64":
      weight.assign(rng.normal(size=weight.shape))
  return layer, x


def given(layer, x, observed):
  """p = head([x ; E o]) in numpy."""
  kernel, bias = layer.head.get_weights()
  embedded = observed @ layer.embed.get_weights()[0]
  return sigmoid(np.concatenate([x, embedded], axis=1) @ kernel + bias)


@pytest.mark.parametrize("labels_per_step", [0, 1, 2])
@pytest.mark.parametrize("contradiction", [0.0, 0.4])
def test_the_steps(labels_per_step, contradiction):
  layer, x = make(labels_per_step=labels_per_step, contradiction=contradiction,
                  num_steps=4, min_confidence=0.3)
  expected, ended_early = [], 0
  for row in range(len(x)):
    p = given(layer, x[row:row + 1].numpy(), np.zeros((1, C)))[0]
    kept = {}
    for _ in range(3):
      best = sorted((c for c in range(C) if c not in kept and p[c] >= 0.3),
                    key=lambda c: -p[c])[:labels_per_step or C]
      kept.update({c: p[c] for c in best})
      observed = np.array([[float(c in kept) for c in range(C)]])
      q = given(layer, x[row:row + 1].numpy(), observed)[0]
      if any(q[c] < contradiction for c in kept):
        ended_early += 1
        break
      p = np.where(observed[0] > 0, p, q)
    expected.append(p)
  np.testing.assert_allclose(layer(x)[0], expected, atol=1e-5)
  assert (ended_early > 0) == (contradiction > 0)


def test_one_step_observes_nothing():
  layer, x = make(num_steps=1)
  scores, intermediates = layer(x)
  np.testing.assert_allclose(scores, given(layer, x.numpy(), np.zeros((5, C))),
                             atol=1e-5)
  np.testing.assert_array_equal(intermediates["step_predictions"][:, 0], scores)


def test_training_observes_a_part_of_the_labels():
  layer, x = make(empty_share=0.0)
  labels = np.ones((5, C), bool)
  scores, _ = layer(x, labels=labels, training=True)
  observed = label_network.observe_labels(labels, 0.0, 1.0, [0, 0]).numpy()
  assert 0 < observed.sum() < observed.size
  np.testing.assert_allclose(scores, given(layer, x.numpy(), observed), atol=1e-5)
  alone, _ = make(sampling="none")
  np.testing.assert_allclose(
      alone(x, labels=labels, training=True)[0],
      given(alone, x.numpy(), np.zeros((5, C))), atol=1e-5)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="Unknown sampling 'all'. Valid: curriculum, none"):
    models.JointConditional(C, sampling="all")
  with pytest.raises(ValueError, match="num_steps is 0, must be at least 1"):
    models.JointConditional(C, num_steps=0)
