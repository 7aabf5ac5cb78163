# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Log-odds of scores. Evidence adds up in log-odds."""

import tensorflow as tf


def logit(p: tf.Tensor, epsilon: float = 1e-12, upper_epsilon: float = 1e-7) -> tf.Tensor:
  """Returns `ln p − ln(1 − p)`, for p clipped to [epsilon, 1 − upper_epsilon]."""
  p = tf.clip_by_value(p, epsilon, 1.0 - upper_epsilon)
  return tf.math.log(p) - tf.math.log1p(-p)
