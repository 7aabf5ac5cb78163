# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How a chain of labels becomes scores: a beam search, greedy if it is one path wide."""

import tensorflow as tf

# The logit of a label that was emitted before: e to this power is 0.
_NEVER = -1e9


def rule_out(logits, emitted):
  """Takes the labels of the steps before out of a softmax.

  Args:
    logits: (batch_size, n, num_classes + 1), the last for "stop".
    emitted: the same shape, 1.0 at these labels, else 0.0.
  """
  return logits + _NEVER * emitted


def noisy_or(p, q):
  """`1 − (1 − p)(1 − q)`, exact for small values, too."""
  return p + (1.0 - p) * q


def search(step, state, num_classes, num_steps, width):
  """Follows the most probable sequences of labels, and scores every class along them.

      q_m,c = p_m,c / (1 − p_m,stop)       the next label, if the chain goes on
      s_m = Π_{j<m} (1 − p_j,stop)         whether it gets to step m
      p_c = Σ_y π_y (1 − Π_m (1 − s_m p_m,c)),   π_y ∝ Π_{m<M} q_m,y_m

  "Stop" weighs the steps and ends no path: cutting paths there would halve a score
  where two videos differ by next to nothing, and GAP ranks the scores of all videos
  together. Over all paths Σ_m s_m p_m,c, of which the noisy-or is a bounded form, has
  the mean P(c in the label set).

  A single path takes its labels for granted: a class that comes with a doubtful one
  scores as if that were there. A beam averages over what might have come instead.

  Args:
    step: from (batch_size, n) labels of the step before, `num_classes` at the first,
      and (batch_size, n, units) states, of n paths a video, to (batch_size, n,
      num_classes + 1) float32 logits and the states after it.
    state: (batch_size, units), where every chain starts.
    num_classes: C.
    num_steps: M, at most C.
    width: paths that are kept; 1 is greedy.

  Returns:
    p_c, (batch_size, num_classes).
  """
  # All by video and path; the first path is the empty one.
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
    if number < num_steps:  # the last label decides nothing any more
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
