# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Class chains, compared with a numpy twin that enumerates all label sequences."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models.classification import class_chain

CLASSES, STOP = 4, 4
X = np.array([[0.3, -1.0, 0.5], [1.0, 0.2, -0.7]])
LABELS = np.array([[1, 0, 1, 0], [0, 0, 0, 0]], bool)
RANKS = np.array([3, 2, 0, 1])


def make(num_classes=CLASSES, **hparams):
  head = models.ClassChain(
      num_classes, **{"units": 5, "embedding": 3, "max_labels": 3, **hparams})
  head(tf.constant(X, tf.float32))
  descriptors.randomize(head)
  head.ranks.assign(RANKS[:num_classes])
  return head


def teach(head, labels=LABELS, x=X):
  scores, intermediates = head(tf.constant(x, tf.float32), labels=tf.constant(labels))
  return scores.numpy(), intermediates["training_loss"].numpy()


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def twin_steps(head, x, sequence):
  """The distributions p_1, p_2, … after `sequence`, len(sequence) + 1 of them."""
  vectors = tf.convert_to_tensor(head.vectors).numpy()
  kernel, recurrent = head.cell.kernel.numpy(), head.cell.recurrent_kernel.numpy()
  input_bias, bias = head.cell.bias.numpy()
  video = np.tanh(x @ head.video.kernel.numpy() + head.video.bias.numpy())
  h, steps = video, []
  for number, label in enumerate([head.num_classes, *sequence]):
    z = np.concatenate([vectors[label], video]) @ kernel + input_bias
    r = h @ recurrent + bias
    (z_u, z_r, z_g), (r_u, r_r, r_g) = np.split(z, 3), np.split(r, 3)
    update = sigmoid(z_u + r_u)
    h = update * h + (1 - update) * np.tanh(z_g + sigmoid(z_r + r_r) * r_g)
    e = np.exp(h @ head.logits.kernel.numpy() + head.logits.bias.numpy())
    e[list(sequence[:number])] = 0
    steps.append(e / e.sum())
  return np.array(steps)


def twin_path(head, x, path):
  """The weight of a path of labels, and the scores along it."""
  steps = twin_steps(head, x, path[:-1])
  goes_on = np.cumprod([1, *(1 - steps[:-1, -1])])
  scores = 1 - np.prod(1 - goes_on[:, None] * steps[:, :-1], axis=0)
  nexts = steps[:, :-1] / (1 - steps[:, -1:])
  return np.prod([nexts[m, path[m]] for m in range(len(path) - 1)]), scores


def twin_all_paths(head, x):
  # The last label changes nothing: one path for each choice of the labels before it.
  paths = {path[:-1]: path
           for path in itertools.permutations(range(head.num_classes), head.num_steps)}
  return [twin_path(head, x, path) for path in paths.values()]


def twin_loss(head, x, targets):
  steps = twin_steps(head, x, targets[:-1])
  return -np.log([p[y] for p, y in zip(steps, targets, strict=True)]).sum()


def test_teacher_forcing_equals_the_twin():
  head = make()
  scores, loss = teach(head)
  # Class 2 is more frequent than class 0; for a video without labels the chain stops.
  for row, targets in enumerate([(2, 0, STOP), (STOP,)]):
    steps = twin_steps(head, X[row], targets[:-1])
    np.testing.assert_allclose(loss[row], twin_loss(head, X[row], targets), rtol=1e-5)
    np.testing.assert_allclose(
        scores[row], 1 - np.prod(1 - steps[:, :-1], axis=0), rtol=1e-4)


def test_labels_beyond_the_last_step_are_left_out_and_so_is_stop():
  head = make(max_labels=2)
  _, loss = teach(head, np.array([[1, 1, 1, 0], [1, 0, 1, 0]], bool))
  np.testing.assert_allclose(
      loss, [twin_loss(head, X[0], (2, 1)), twin_loss(head, X[1], (2, 0))], rtol=1e-5)


def test_no_more_steps_than_classes():
  head = make(max_labels=9)
  labels = np.ones((2, CLASSES), bool)
  np.testing.assert_allclose(
      teach(head, labels)[1], [twin_loss(head, x, (2, 3, 1, 0)) for x in X], rtol=1e-5)


def test_greedy_equals_the_twin():
  head = make()
  for x, found in zip(X, head(tf.constant(X, tf.float32)).numpy(), strict=True):
    path = ()
    while len(path) < head.num_steps:
      path += (int(np.argmax(twin_steps(head, x, path)[-1][:-1])),)
    np.testing.assert_allclose(found, twin_path(head, x, path)[1], rtol=1e-4)
    assert found.min() > 0  # more classes than steps


@pytest.mark.parametrize("width", [12, 100])
def test_a_beam_of_all_paths_equals_enumeration(width):
  head = make(decoding="beam", beam_width=width)
  for x, found in zip(X, head(tf.constant(X, tf.float32)).numpy(), strict=True):
    weights, scores = map(np.array, zip(*twin_all_paths(head, x), strict=True))
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-6)
    np.testing.assert_allclose(found, weights @ scores, rtol=1e-4)


def test_a_beam_of_some_paths_averages_the_most_probable():
  head = make(decoding="beam", beam_width=3, max_labels=2)  # 2 steps: nothing is pruned
  for x, found in zip(X, head(tf.constant(X, tf.float32)).numpy(), strict=True):
    best = sorted(twin_all_paths(head, x), key=lambda path: -path[0])[:3]
    weights, scores = map(np.array, zip(*best, strict=True))
    np.testing.assert_allclose(found, weights @ scores / weights.sum(), rtol=1e-4)


def test_a_beam_of_one_path_is_greedy():
  x = tf.constant(np.random.default_rng(1).normal(size=(20, 3)), tf.float32)
  greedy, one = make(), make(decoding="beam", beam_width=1)
  np.testing.assert_array_equal(greedy(x), one(x))
  assert np.abs(greedy(x) - make(decoding="beam", beam_width=2)(x)).max() > 1e-3


def test_random_order_draws_every_order_anew_and_from_the_seed():
  labels = np.array([[1, 0, 1, 1]] * 2, bool)
  one, again, other = (make(order="random", seed=seed) for seed in (3, 3, 4))
  losses, repeated, others = (
      np.array([teach(head, labels)[1] for _ in range(60)])
      for head in (one, again, other))
  np.testing.assert_array_equal(losses, repeated)
  assert not np.array_equal(losses, others)
  for row in range(2):
    expected = [twin_loss(one, X[row], order)
                for order in itertools.permutations((0, 2, 3))]
    nearest = np.abs(losses[:, row, None] - expected)
    assert nearest.min(axis=1).max() < 1e-4
    assert set(nearest.argmin(axis=1)) == set(range(6))
  one.draws.assign(0)
  np.testing.assert_array_equal(teach(one, labels)[1], losses[0])


def test_learns_which_labels_come_together():
  """Class 1 equals class 0, which the features do not show; they show class 2."""
  x = np.array([[-1], [-1], [1], [1]] * 16, np.float32)
  pair = np.array([False, True] * 32)
  labels = np.stack([pair, pair, x[:, 0] > 0], axis=1)
  head = models.ClassChain(3, units=8, embedding=4)
  head(x)
  head.start_from_prior([0.49, 0.49, 0.5])  # class 2 first
  optimizer = tf.keras.optimizers.Adam(0.03)

  @tf.function
  def train():
    with tf.GradientTape() as tape:
      loss = tf.reduce_mean(head(x, labels=labels)[1]["training_loss"])
    optimizer.apply_gradients(zip(
        tape.gradient(loss, head.trainable_variables), head.trainable_variables,
        strict=True))
    return loss

  for _ in range(250):
    loss = train()
  # One coin for each video; two for a model that treats the labels as independent.
  np.testing.assert_allclose(loss, np.log(2), atol=0.03)
  np.testing.assert_allclose(
      head(tf.constant([[-1.0], [1.0]])), [[0.5, 0.5, 0], [0.5, 0.5, 1]], atol=0.03)


@pytest.mark.parametrize("decoding", class_chain.DECODINGS)
def test_starts_at_the_prior_and_ranks_classes_by_it(decoding):
  prior = np.array([0.2, 0.7, 0.05, 1e-6])
  head = models.ClassChain(4, decoding=decoding)
  head(tf.zeros((1, 3)))
  head.start_from_prior(prior)
  np.testing.assert_allclose(head(tf.zeros((1, 3)))[0], prior, rtol=1e-3)
  np.testing.assert_array_equal(head.ranks, [1, 0, 2, 3])
  assert any(v is head.ranks for v in head.non_trainable_weights)


def test_a_prior_of_more_labels_than_steps_leaves_weights_finite():
  head = make(max_labels=2)
  head.start_from_prior(np.full(CLASSES, 0.9))
  assert np.all(np.isfinite(head.logits.bias))
  assert np.all(head(tf.zeros((1, 3))) > 0.3)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="order 'rare'. Valid: random, frequency"):
    models.ClassChain(4, order="rare")
  with pytest.raises(ValueError, match="decoding 'sample'. Valid: "):
    models.ClassChain(4, decoding="sample")
  with pytest.raises(ValueError, match="max_labels is 0, beam_width is 4"):
    models.ClassChain(4, max_labels=0)
