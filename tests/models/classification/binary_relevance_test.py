# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The mixture of experts against a numpy twin."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models


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
