# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""From a chain of labels to scores: a beam search, which is greedy at width 1."""

from collections.abc import Callable

import tensorflow as tf

# Added to the logit of a label that was emitted before; its probability becomes 0.
_NEVER = -1e9


def rule_out(logits: tf.Tensor, emitted: tf.Tensor) -> tf.Tensor:
  """Returns logits that exclude the labels of earlier steps from a softmax.

  Args:
    logits: (batch_size, n, num_classes + 1), the last one for "stop".
    emitted: 1.0 for the labels of earlier steps, else 0.0; the shape of `logits`.
  """
  return logits + _NEVER * emitted


def noisy_or(p: tf.Tensor, q: tf.Tensor) -> tf.Tensor:
  """Returns `1 − (1 − p)(1 − q)`, without rounding small values to 0."""
  return p + (1.0 - p) * q


def search(step: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
           state: tf.Tensor, num_classes: int, num_steps: int, width: int) -> tf.Tensor:
  """Follows the most probable sequences of labels, and scores every class along them.

      q_m,c = p_m,c / (1 − p_m,stop)       the next label, if the chain goes on
      s_m = Π_{j<m} (1 − p_j,stop)         whether it gets to step m
      p_c = Σ_y π_y (1 − Π_m (1 − s_m p_m,c)),   π_y ∝ Π_{m<M} q_m,y_m

  "Stop" weights the steps and ends no path. If it ended paths, two videos that hardly
  differ could get scores that differ by half, and GAP ranks the scores of all videos
  together. Over all paths, Σ_m s_m p_m,c has the mean P(c in the label set); the
  noisy-or is a bounded form of that sum.

  A single path takes its labels for granted: a class that often comes with a doubtful
  label scores as if that label were there. A beam averages over the alternatives.

  Args:
    step: Function of the labels of the previous step, (batch_size, n), `num_classes` at
      the first step, and of the states of n paths for each video, (batch_size, n,
      units). Returns float32 logits, (batch_size, n, num_classes + 1), and new states.
    state: State at the start of every chain, (batch_size, units).
    num_classes: Number of classes, C.
    num_steps: Number of steps, M, at most C.
    width: Number of paths that are kept; 1 is greedy.

  Returns:
    p_c, (batch_size, num_classes).
  """
  # All tensors are by video and path. The first path is the empty one.
  state = state[:, tf.newaxis]
  log_weights = tf.zeros_like(state[:, :, 0], tf.float32)
  labels = tf.cast(log_weights, tf.int32) + num_classes
  goes_on = tf.ones_like(log_weights)[:, :, tf.newaxis]
  emitted = goes_on * tf.zeros(num_classes + 1)
  scores = emitted[:, :, :-1]
  for number in range(1, num_steps + 1):
    logits, state = step(labels, state)
    logits = rule_out(logits, emitted)
    p = tf.nn.softmax(logits)
    scores = noisy_or(scores, goes_on * p[:, :, :-1])
    goes_on *= 1.0 - p[:, :, -1:]
    if number < num_steps:  # The last label would not affect any score.
      nexts = log_weights[:, :, tf.newaxis] + tf.nn.log_softmax(logits[:, :, :-1])
      candidates = nexts.shape[1] * num_classes
      log_weights, best = tf.math.top_k(
          tf.reshape(nexts, [-1, candidates]), min(width, candidates))
      labels = best % num_classes
      state, goes_on, emitted, scores = (
          tf.gather(x, best // num_classes, axis=1, batch_dims=1)
          for x in (state, goes_on, emitted, scores))
      emitted += tf.one_hot(labels, num_classes + 1)
  return tf.einsum("bn,bnc->bc", tf.nn.softmax(log_weights), scores)
