# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Adam in one operation computes what Keras computes."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.layers import variables
from yt8m.training import adam
from yt8m.training import optimizer_state
from yt8m.training import optimizers

keras = tf.keras


def _steps(optimizer, gradients):
  """Returns a variable, and the slots, after an update by each of the gradients."""
  variable = tf.Variable(np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3))
  optimizer.build([variable])
  step = tf.function(lambda g: optimizer.apply_gradients([(g, variable)]))
  for gradient in gradients:
    step(gradient)
  return variable.numpy(), [
      v.numpy() for v in optimizer_state.slots_and_counters(optimizer)
      if v.shape == (4, 3)]


def _assert_close(found, expected):
  # 1 − β₂ is 0.001 in Keras, but 0.00100005 in TensorFlow: it is computed in float32.
  np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
  for ours, theirs in zip(found[1], expected[1], strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("arguments", [
    {}, {"epsilon": 1e-3, "beta_1": 0.5, "beta_2": 0.9}, {"amsgrad": True},
    {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)}])
@pytest.mark.parametrize("ours, theirs", [
    (adam.Adam, keras.optimizers.Adam), (adam.AdamW, keras.optimizers.AdamW)])
def test_equals_keras(ours, theirs, arguments):
  arguments = {"learning_rate": 0.1, **arguments}
  rng = np.random.default_rng(0)
  gradients = [tf.constant(rng.normal(size=(4, 3)), tf.float32) for _ in range(5)]
  _assert_close(_steps(ours(**arguments), gradients),
                _steps(theirs(**arguments), gradients))


def test_equals_the_algorithm():
  rng = np.random.default_rng(1)
  gradients = rng.normal(size=(6, 4, 3)).astype(np.float32)
  w = np.linspace(-1, 1, 12).reshape(4, 3)
  m, v = np.zeros((4, 3)), np.zeros((4, 3))
  for t, g in enumerate(gradients.astype(np.float64), start=1):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g ** 2
    rate = 0.1 * np.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
    w = w - rate * m / (np.sqrt(v) + 1e-7)
  found, slots = _steps(adam.Adam(0.1), [tf.constant(g) for g in gradients])
  np.testing.assert_allclose(found, w, atol=1e-5)
  np.testing.assert_allclose(slots[0], m, atol=1e-6)


def test_sparse_gradients_are_left_to_keras():
  gradient = tf.IndexedSlices(tf.ones([1, 3]), tf.constant([2]), tf.constant([4, 3]))
  _assert_close(_steps(adam.Adam(0.1), [gradient]),
                _steps(keras.optimizers.Adam(0.1), [gradient]))


# `update_step` of Keras 2 gets no learning rate, so nothing is replaced there.
@pytest.mark.skipif(not hasattr(keras, "ops"), reason="Keras 2 updates by itself.")
@pytest.mark.parametrize("name", ["Adam", "AdamW", "AdamOptimizer"])
def test_an_update_by_name_is_one_operation(name):
  optimizer = optimizers.make_optimizer(name, 0.1)
  layer = keras.layers.Dense(2)
  layer.build((None, 3))
  optimizer.build(layer.trainable_variables)
  step = tf.function(lambda: optimizer.apply_gradients(
      [(tf.ones(v.shape), v) for v in layer.trainable_variables]))
  types = [op.type for op in step.get_concrete_function().graph.get_operations()]
  assert types.count("ResourceApplyAdam") == 2
  assert variables.tf_variable(layer.kernel).dtype == tf.float32
