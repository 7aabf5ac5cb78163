# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Mixtures of the videos of a batch, in pairs."""

import tensorflow as tf


def mix(values: tf.Tensor, shares: tf.Tensor | None) -> tf.Tensor:
  """Mixes every row with the other one of its pair.

      v'_i = λ_i v_i + (1 − λ_i) v_j

  The pairs are the rows 0 and 1, 2 and 3, and so on, so that the replicas of a batch have
  the pairs of the whole batch. A last row without another one stays as it is.

  >>> from yt8m.models.layers import mixing
  >>> mixing.mix([[0.], [10.], [20.]], [[0.75], [1.], [0.5]]).numpy().tolist()
  [[2.5], [10.0], [20.0]]

  Args:
    values: v, (batch_size, dim), of any type.
    shares: λ, (batch_size, 1), from 0 to 1; None to mix nothing.

  Returns:
    v', (batch_size, dim): float32, or the float type of `values`.
  """
  if shares is None:
    return values
  values = tf.convert_to_tensor(values)
  if not values.dtype.is_floating:
    values = tf.cast(values, tf.float32)
  shares = tf.cast(shares, values.dtype)
  rows = tf.range(tf.shape(values)[0])
  others = tf.minimum(tf.bitwise.bitwise_xor(rows, 1), tf.shape(values)[0] - 1)
  return shares * values + (1 - shares) * tf.gather(values, others)
