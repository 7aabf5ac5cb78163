# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Conditional inference and the network that completes label sets."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import toy_labels
from yt8m import models
from yt8m.models.layers import label_network
from yt8m.training import label_start

keras = tf.keras

C, DIM = 7, 5


def sigmoid(z):
  return 1.0 / (1.0 + np.exp(-z))


def logit(p):
  return np.log(p) - np.log1p(-p)


def make(seed=0, head="logistic", **hparams):
  """A head with random weights, and five inputs."""
  layer = models.Conditional(C, head, units=4, **hparams)
  x = tf.constant(np.random.default_rng(seed).normal(size=(5, DIM)), tf.float32)
  layer(x)
  rng = np.random.default_rng(seed + 1)
  for weight in layer.weights:
    if weight.dtype != "int64":
      weight.assign(rng.normal(size=weight.shape))
  return layer, x


def evidence(layer, observed):
  """q(o) in numpy."""
  kernel, bias = (w.numpy() for w in layer.evidence.encode.weights)
  decode = layer.evidence.decode.kernel.numpy()
  return (np.maximum(observed @ kernel + bias, 0) - np.maximum(bias, 0)) @ decode


def given(layer, x, observed, evidence_weight=1.0):
  """p = σ(logit head(x) + γ λ q(o)) in numpy."""
  z = logit(layer.head(x).numpy().astype(np.float64))
  coupling = evidence_weight * layer.couplings.numpy()
  return sigmoid(z + coupling * evidence(layer, observed))


@pytest.mark.parametrize("head", ["logistic", "moe", {"name": "hidden", "units": 3},
                                  "gated", "label_powerset"])
def test_one_step_is_the_head_alone(head):
  layer, x = make(head=head, num_steps=1)
  scores, intermediates = layer(x)
  expected, _ = layer.score(x)
  np.testing.assert_array_equal(scores, expected)
  np.testing.assert_array_equal(intermediates["step_predictions"][:, 0], expected)


@pytest.mark.parametrize("evidence_weight", [0.0, 0.3, 1.0])
def test_observed_scores_are_a_mean_field(evidence_weight):
  layer, x = make(num_steps=4, evidence_weight=evidence_weight)
  scores, intermediates = layer(x)
  p = layer.head(x).numpy()
  for step in range(1, 4):
    p = given(layer, x, p, evidence_weight)
    np.testing.assert_allclose(intermediates["step_predictions"][:, step], p, atol=1e-5)
  np.testing.assert_allclose(scores, p, atol=1e-5)


@pytest.mark.parametrize("labels_per_step", [1, 2])
def test_observed_labels_keep_their_scores(labels_per_step):
  layer, x = make(observation="labels", labels_per_step=labels_per_step, num_steps=4,
                  min_confidence=0.3)
  expected = []
  for row in range(len(x)):
    p = layer.head(x).numpy()[row]
    kept = {}
    for _ in range(3):
      best = sorted((c for c in range(C) if c not in kept and p[c] >= 0.3),
                    key=lambda c: -p[c])[:labels_per_step]
      kept.update({c: p[c] for c in best})
      observed = np.array([[float(c in kept) for c in range(C)]])
      p = given(layer, x[row:row + 1], observed)[0]
      p[list(kept)] = list(kept.values())
    expected.append(p)
  np.testing.assert_allclose(layer(x)[0], expected, atol=1e-5)


def test_stops_where_no_label_is_confident_enough():
  short, x = make(observation="labels", num_steps=3, min_confidence=0.5)
  long, _ = make(observation="labels", num_steps=C + 2, min_confidence=0.5)
  steps = long(x)[1]["step_predictions"].numpy()
  np.testing.assert_array_equal(steps[:, -1], steps[:, -2])
  np.testing.assert_array_equal(steps[:, :3], short(x)[1]["step_predictions"])
  never, _ = make(observation="labels", num_steps=4, min_confidence=1.1)
  np.testing.assert_allclose(never(x)[0], never.head(x), atol=1e-6)


def test_a_step_does_not_look_at_x_again():
  layer, x = make(num_steps=5)
  calls = []
  call = layer.head.call
  layer.head.call = lambda *args, **kwargs: calls.append(1) or call(*args, **kwargs)
  layer(x)
  assert len(calls) == 1


def test_training_observes_a_part_of_the_labels():
  layer, x = make(empty_share=0.0, evidence_weight=0.5)  # it does not apply in training
  labels = np.ones((5, C), bool)
  scores, intermediates = layer(x, labels=labels, training=True)
  assert "step_predictions" not in intermediates
  observed = label_network.observe_labels(labels, 0.0, 1.0, [0, 0]).numpy()
  assert 0 < observed.sum() < observed.size
  np.testing.assert_allclose(scores, given(layer, x, observed), atol=1e-5)
  again, _ = layer(x, labels=labels, training=True)
  assert np.abs(again - scores).max() > 1e-3  # each step draws anew
  nothing, _ = layer(x, labels=np.zeros((5, C), bool), training=True)
  np.testing.assert_allclose(nothing, layer.head(x), atol=1e-6)


def test_ragged_observations_are_the_dense_ones():
  layer, _ = make()
  labels = tf.ragged.constant([[0, 3], [], [1, 2, 6]])
  weights = tf.ragged.constant([[1.0, 0.5], [], [0.0, 1.0, 0.25]])
  dense = np.zeros((3, C), np.float32)
  dense[0, [0, 3]], dense[2, [2, 6]] = [1.0, 0.5], [1.0, 0.25]
  np.testing.assert_allclose(layer.evidence.of_labels(labels, weights),
                             layer.evidence(dense), atol=1e-5)
  np.testing.assert_allclose(layer.evidence(dense), evidence(layer, dense), atol=1e-5)


def test_observes_as_much_as_it_says():
  rng = np.random.default_rng(0)
  labels = rng.random((4000, 300)) < 0.5
  observed = label_network.observe_labels(labels, 0.25, 0.8, [3, 4]).numpy()
  assert not observed[~labels].any()
  shares = observed.sum(axis=1) / labels.sum(axis=1)
  np.testing.assert_allclose(shares.mean(), 0.75 * 0.4, atol=0.02)
  np.testing.assert_allclose(np.mean(shares > 0.7), 0.75 * 0.1 / 0.8, atol=0.03)


def test_curriculum_ends_with_nothing_observed():
  layer, x = make(sampling="curriculum", curriculum_steps=2, empty_share=0.0)
  labels = np.ones((5, C), bool)
  distances = [np.abs(layer(x, labels=labels, training=True)[0] - layer.head(x)).max()
               for _ in range(4)]
  assert distances[0] > 1e-2
  np.testing.assert_allclose(distances[2:], 0, atol=1e-6)


def test_no_sampling_trains_the_head_alone():
  layer, x = make(sampling="none", num_steps=1)
  scores, _ = layer(x, labels=np.ones((5, C), bool), training=True)
  np.testing.assert_array_equal(scores, layer.head(x))
  assert {id(w) for w in layer.trainable_weights} == {
      id(w) for w in layer.head.trainable_weights}


def test_learns_what_features_cannot_tell():
  """Class 1 is visible; the other labels follow from it alone."""
  labels, sets = toy_labels.toy_sets()
  rng = np.random.default_rng(1)
  x = np.where(labels[:, 1:2], 2.0, -2.0) + rng.normal(size=(len(labels), 1))
  x = np.c_[x, rng.normal(size=(len(labels), 2))].astype(np.float32)
  layer = models.Conditional(4, units=16, pretraining_epochs=60, num_steps=4)
  layer(x)
  layer.start_from_prior(sets.prior())
  layer.start_from_label_sets(
      sets, functools.partial(label_start.pretrain, sets))
  frozen = layer.evidence.get_weights()
  optimizer = keras.optimizers.Adam(0.05)
  for _ in range(200):
    with tf.GradientTape() as tape:
      p, _ = layer(x, labels=labels, training=True)
      loss = tf.reduce_mean(keras.losses.binary_crossentropy(
          tf.cast(labels, tf.float32), p))
    optimizer.apply_gradients(zip(
        tape.gradient(loss, layer.trainable_weights), layer.trainable_weights,
        strict=True))
  for one, other in zip(frozen, layer.evidence.get_weights(), strict=True):
    np.testing.assert_array_equal(one, other)
  assert np.all(np.isfinite(layer(x)[0]))
  # The evidence of class 1 for class 0 is added to that of x.
  told = layer._given(tf.constant([[0.0, 1.0, 0.0, 0.0]]),
                      tf.zeros((1, 4))).numpy()[0]
  assert told[0] > 0.6 and told[2] < 0.4


def test_label_network_is_in_the_saved_model(tmp_path):
  labels, sets = toy_labels.toy_sets(200)
  layer = models.Conditional(4, units=3, pretraining_epochs=1)
  x = tf.random.stateless_normal((5, DIM), [0, 0])
  layer(x)
  layer.start_from_label_sets(
      sets, functools.partial(label_start.pretrain, sets))
  module = tf.Module()
  module.weights = list(layer.weights)
  module.score = tf.function(lambda x: layer(x)[0], input_signature=[
      tf.TensorSpec((None, DIM))])
  tf.saved_model.save(module, str(tmp_path / "model"))
  loaded = tf.saved_model.load(str(tmp_path / "model"))
  np.testing.assert_allclose(loaded.score(x), layer(x)[0], atol=1e-6)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="Unknown sampling 'all'. Valid: curriculum, none"):
    models.Conditional(C, sampling="all")
  with pytest.raises(ValueError, match="observation 'logits'. Valid: labels, scores"):
    models.Conditional(C, observation="logits")
  with pytest.raises(ValueError, match="num_steps is 0, must be at least 1"):
    models.Conditional(C, num_steps=0)
  with pytest.raises(ValueError, match="evidence_weight is -1, must be at least 0"):
    models.Conditional(C, evidence_weight=-1)
  with pytest.raises(ValueError, match="Nothing would train the label network"):
    models.Conditional(C, pretraining_epochs=0)
