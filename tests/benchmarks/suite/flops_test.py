# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Counted operations equal those of products that are multiplied out by hand."""

import tensorflow as tf

from benchmarks.suite import flops
from yt8m.models.layers import recurrent


def gradients(layer, x):
  def function():
    with tf.GradientTape() as tape:
      tape.watch(x)
      y = layer(x)
      y = tf.reduce_sum(y[0] if isinstance(y, tuple) else y)
    return tape.gradient(y, [x, *layer.trainable_variables])
  return function


def test_dense_layer_inside_a_function():
  layer = tf.keras.layers.Dense(7)
  layer.build((None, 4))
  function = tf.function(gradients(layer, tf.random.normal([2, 3, 4])))
  # Forward, and backward for the input and for the weights.
  assert flops.of(function) == 3 * 2 * (2 * 3) * 4 * 7
  assert not tf.config.functions_run_eagerly()


def test_every_pass_of_a_loop_counts():
  layer = recurrent.Bidirectional(8)
  layer.build((None, None, 4))
  x = tf.random.normal([2, 3, 4])
  assert flops.of(gradients(layer, x)) == 2 * 3 * 2 * (2 * 3) * (4 * 8) * (4 + 8)


def test_batched_products_transposed_ones_and_einsum():
  a, b = tf.random.normal([5, 2, 3]), tf.random.normal([5, 4, 3])
  assert flops.of(lambda: tf.matmul(a, b, transpose_b=True)) == 2 * 5 * 2 * 3 * 4
  assert flops.of(lambda: tf.matmul(a, a, transpose_a=True)) == 2 * 5 * 3 * 2 * 3
  assert flops.of(lambda: tf.einsum("bij,bkj->bik", a, b)) == 2 * 5 * 2 * 3 * 4


def test_convolution_with_gradients():
  layer = tf.keras.layers.Conv1D(6, 3, padding="same", use_bias=False)
  layer.build((None, None, 4))
  x = tf.random.normal([2, 5, 4])
  assert flops.of(gradients(layer, x)) == 3 * 2 * (2 * 5) * 3 * 4 * 6


def test_what_is_no_product_does_not_count():
  x = tf.random.normal([4, 4])
  assert flops.of(lambda: tf.nn.softmax(tf.exp(x) * x)) == 0
