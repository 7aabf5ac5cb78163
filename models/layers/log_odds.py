# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""From scores back to log-odds, where evidence adds up."""

import tensorflow as tf


def logit(p):
  """`ln p − ln(1 − p)`, for p kept away from 0 and 1."""
  p = tf.clip_by_value(p, 1e-12, 1.0 - 1e-7)
  return tf.math.log(p) - tf.math.log1p(-p)
