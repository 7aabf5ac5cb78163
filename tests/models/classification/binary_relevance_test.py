# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The mixture of experts against a numpy twin."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models.classification import binary_relevance


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def test_moe_numpy_twin():
  rng = np.random.default_rng(2)
  x = rng.normal(size=(3, 4))
  head = models.MixtureOfExperts(5, num_mixtures=3)
  found = head(tf.constant(x, tf.float32))
  gates = (x @ head.gates.kernel.numpy()).reshape(3, 5, 4)
  gates = np.exp(gates) / np.exp(gates).sum(-1, keepdims=True)
  experts = (x @ head.experts.kernel.numpy() + head.experts.bias.numpy())
  expected = (gates[..., :3] * sigmoid(experts.reshape(3, 5, 3))).sum(-1)
  np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="num_mixtures is 0"):
    models.MixtureOfExperts(4, num_mixtures=0)


@pytest.mark.parametrize("mixtures", [1, 2, 4])
def test_the_mixture_and_its_gradient_are_those_of_a_softmax(mixtures):
  rng = np.random.default_rng(mixtures)
  gates = tf.Variable(5 * rng.normal(size=(3, 7, mixtures + 1)).astype(np.float32))
  experts = tf.Variable(5 * rng.normal(size=(3, 7, mixtures)).astype(np.float32))
  upstream = tf.constant(rng.normal(size=(3, 7)), tf.float32)
  with tf.GradientTape(persistent=True) as tape:
    found = binary_relevance.mix(gates, experts)
    expected = tf.reduce_sum(
        tf.nn.softmax(gates)[..., :-1] * tf.sigmoid(experts), axis=-1)
  np.testing.assert_allclose(found, expected, atol=1e-6)
  for variable in (gates, experts):
    np.testing.assert_allclose(tape.gradient(found, variable, upstream),
                               tape.gradient(expected, variable, upstream), atol=1e-6)


def test_gates_may_be_far_apart():
  gates = tf.Variable([[[500.0, -500.0, 0.0]]])
  with tf.GradientTape() as tape:
    score = binary_relevance.mix(gates, tf.constant([[[1.0, 2.0]]]))
  np.testing.assert_allclose(score, tf.sigmoid([[1.0]]), atol=1e-6)
  np.testing.assert_array_equal(tape.gradient(score, gates), tf.zeros([1, 1, 3]))
