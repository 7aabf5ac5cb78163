# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What private API is used for still works on the installed Keras."""

import pytest
import tensorflow as tf

from yt8m.core import compat

keras = tf.keras


def test_an_optimizer_has_its_slots_before_the_first_step():
  weight = tf.Variable([1.0, 2.0])
  optimizer = keras.optimizers.Adam()
  compat.build_optimizer(optimizer, [weight])
  variables = optimizer.variables
  before = len(variables() if callable(variables) else variables)
  optimizer.apply_gradients([(tf.constant([0.1, 0.1]), weight)])
  variables = optimizer.variables
  assert len(variables() if callable(variables) else variables) == before >= 3


def test_the_learning_rate_is_that_of_the_next_update():
  weight = tf.Variable([1.0])
  assert compat.learning_rate(keras.optimizers.SGD(0.25)) == pytest.approx(0.25)
  schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
  optimizer = keras.optimizers.SGD(schedule)
  assert compat.learning_rate(optimizer) == pytest.approx(1.0)
  optimizer.apply_gradients([(tf.constant([0.0]), weight)])
  assert compat.learning_rate(optimizer) == pytest.approx(0.5)
