# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The feature-major layout of the recurrence kernels.

Columns are videos: the state is (units, batch_size), so that the matrix product of a
step, Rᵀ h, has the many rows of Rᵀ where the usual layout has the few of the batch.
What need not wait for the state before is one product over all frames outside the
loop: the input projection, and all that gives the gradients of weights and inputs.
"""

import tensorflow as tf


def feature_major(x):
  """(batch_size, num_frames, dim) -> (num_frames, dim, batch_size)."""
  return tf.transpose(x, [1, 2, 0])


def batch_major(x):
  """(num_frames, dim, batch_size) -> (batch_size, num_frames, dim)."""
  return tf.transpose(x, [2, 0, 1])


def before(states):
  """The state that each frame starts from: shifted by one frame, zeros first."""
  return tf.concat([tf.zeros_like(states[:1]), states[:-1]], axis=0)


def outer(x, y):
  """`Σ x_t y_tᵀ` over all frames of all videos of batch-major x and y."""
  return tf.tensordot(x, y, [[0, 1], [0, 1]])
