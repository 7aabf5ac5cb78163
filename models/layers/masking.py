# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Masks of padded frames, and reductions that ignore those frames."""

import tensorflow as tf

from yt8m.core import compat


def frame_mask(num_frames: tf.Tensor, max_frames: int | tf.Tensor) -> tf.Tensor:
  """Returns `m_t = [t < num_frames]`: (batch_size,) to (batch_size, max_frames), bool."""
  return tf.sequence_mask(num_frames, max_frames)


def zero_padding(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
  """Sets padded frames to exactly 0, even if they hold NaN.

  Args:
    x: Frames, (batch_size, num_frames, dim).
    mask: Mask of the valid frames, (batch_size, num_frames), bool; None if all are valid.
  """
  return x if mask is None else keep(x, tf.expand_dims(mask, -1))


def keep(x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
  """Returns `x` where `mask` is True and 0 elsewhere, whatever `x` holds there.

  It is one pass, where `tf.where` first broadcasts the mask.

  Args:
    x: Tensor of a floating-point type.
    mask: Booleans, of a shape that broadcasts to that of `x`.
  """
  return tf.math.multiply_no_nan(x, tf.cast(mask, x.dtype))


def is_there(x: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
  """Returns whether videos have a modality: one that they lack is 0 throughout.

  Args:
    x: (batch_size, …).
    mask: Mask of the valid frames, (batch_size, num_frames), bool; None if all are valid,
      or the others are 0.

  Returns:
    (batch_size, 1, …) bool, of the rank of `x`.
  """
  def any_value(x, mask):
    values = tf.not_equal(x, tf.zeros([], x.dtype))
    if mask is not None:
      values = tf.reduce_any(values, axis=-1, keepdims=True) & tf.expand_dims(mask, -1)
    return tf.reduce_any(values, axis=list(range(1, len(x.shape))), keepdims=True)

  # The first frames, or values, tell of all videos, unless one lacks the modality.
  first = any_value(x[:, :1], None if mask is None else mask[:, :1])
  return tf.cond(tf.reduce_all(first), lambda: first, lambda: any_value(x, mask))


def masked_mean(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
  """Returns the mean of the valid frames, `Σ_t m_t x_t / Σ_t m_t`: (batch_size, dim).

  It is 0 for a video without valid frames. It is one matrix product, which writes no
  masked copy of the frames, unless a frame, such as padding, is not finite. Within XLA it
  is a sum, which is joined with what computes the frames, so that they are not written.
  """
  if mask is None:
    return tf.reduce_mean(x, axis=1)
  weights = tf.cast(mask, x.dtype)
  weights = tf.math.divide_no_nan(
      weights, tf.reduce_sum(weights, axis=1, keepdims=True))[:, tf.newaxis]
  if compat.is_compiled_by_xla():
    weights, valid = tf.transpose(weights, [0, 2, 1]), mask[:, :, tf.newaxis]
    return tf.reduce_sum(tf.where(valid, weights * x, tf.zeros([], x.dtype)), axis=1)
  mean = tf.matmul(weights, x)
  # Not inside the product: 0 times a value that is not finite is not 0.
  mean = tf.cond(tf.reduce_all(tf.math.is_finite(mean)), lambda: mean,
                 lambda: tf.matmul(weights, zero_padding(x, mask)))
  return tf.squeeze(mean, axis=1)


def masked_max(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
  """Returns the maximum of the valid frames, `max_{t: m_t} x_t`: (batch_size, dim).

  It is 0 for a video without valid frames.
  """
  if mask is None:
    return tf.reduce_max(x, axis=1)
  maximum = tf.reduce_max(tf.where(tf.expand_dims(mask, -1), x, x.dtype.min), axis=1)
  return tf.where(tf.reduce_any(mask, axis=1, keepdims=True), maximum,
                  tf.zeros_like(maximum))


def reverse(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
  """Reverses the valid frames, which precede all padding. The padding keeps its place."""
  if mask is None:
    return tf.reverse(x, [1])
  return tf.reverse_sequence(x, tf.math.count_nonzero(mask, axis=1), seq_axis=1)


def last_valid(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
  """Returns the last valid frame, (batch_size, dim); 0 if there is none."""
  if mask is None:
    return x[:, -1]
  ends = tf.logical_not(tf.pad(mask, [[0, 0], [0, 1]])[:, 1:])
  return tf.reduce_sum(zero_padding(x, tf.logical_and(mask, ends)), axis=1)
