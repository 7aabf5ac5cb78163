# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks of padded frames, and reductions that respect them."""

import tensorflow as tf


def frame_mask(num_frames, max_frames):
  """`m_t = [t < num_frames]`: (batch_size,) -> (batch_size, max_frames), bool."""
  return tf.sequence_mask(num_frames, max_frames)


def zero_padding(x, mask):
  """Sets padded frames to exactly 0, whatever they held (NaN included).

  Args:
    x: (batch_size, num_frames, dim).
    mask: (batch_size, num_frames), bool; None means that every frame is valid.
  """
  return x if mask is None else tf.where(mask[..., tf.newaxis], x, tf.zeros_like(x))


def masked_mean(x, mask):
  """`Σ_t m_t x_t / Σ_t m_t`: (batch_size, num_frames, dim) -> (batch_size, dim)."""
  if mask is None:
    return tf.reduce_mean(x, axis=1)
  count = tf.reduce_sum(tf.cast(mask, x.dtype), axis=1, keepdims=True)
  return tf.math.divide_no_nan(tf.reduce_sum(zero_padding(x, mask), axis=1), count)


def masked_max(x, mask):
  """`max_{t: m_t} x_t`: (batch_size, num_frames, dim) -> (batch_size, dim)."""
  if mask is not None:
    x = tf.where(mask[..., tf.newaxis], x, x.dtype.min)
  return tf.reduce_max(x, axis=1)


def reverse(x, mask):
  """Reverses the valid frames, which come before all padding; padding stays in place."""
  if mask is None:
    return tf.reverse(x, [1])
  return tf.reverse_sequence(x, tf.math.count_nonzero(mask, axis=1), seq_axis=1)


def last_valid(x, mask):
  """The last valid frame, 0 if there is none: as `masked_mean`, also in shapes."""
  if mask is None:
    return x[:, -1]
  last = mask & ~tf.pad(mask, [[0, 0], [0, 1]])[:, 1:]
  return tf.reduce_sum(zero_padding(x, last), axis=1)
