# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Losses, compared with values of the starter, WILLOW and NeXtVLAD code."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.models import losses

CASES = [
    # file, entry, loss, labels, weights
    ("losses_starter", "xent", losses.CrossEntropyLoss(), "labels", None),
    ("losses_starter", "xent_weights", losses.CrossEntropyLoss(), "labels",
     "label_weights"),
    ("losses_starter", "xent_soft", losses.CrossEntropyLoss(), "soft_labels", None),
    ("losses_starter", "xent_floatlabels", losses.CrossEntropyLoss(), "labels", None),
    ("losses_starter", "hinge", losses.HingeLoss(), "labels", None),
    ("losses_starter", "hinge_b2", losses.HingeLoss(margin=2.0), "labels", None),
    ("losses_starter", "softmax", losses.SoftmaxLoss(), "labels", None),
    ("losses_starter", "softmax_soft", losses.SoftmaxLoss(), "soft_labels", None),
    ("losses_linrongc", "xent", losses.CrossEntropyLoss(epsilon=1e-8), "labels", None),
    ("losses_linrongc", "hinge", losses.HingeLoss(), "labels", None),
    ("losses_linrongc", "softmax", losses.SoftmaxLoss(), "labels", None),
    ("losses_willow", "xent_alpha0.5", losses.CrossEntropyLoss(), "labels", None),
    ("losses_willow", "xent_alpha0.7", losses.CrossEntropyLoss(alpha=0.7), "labels",
     None),
]


@support.needs_goldens
@pytest.mark.parametrize(
    "file, entry, loss, labels, weights", CASES,
    ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_value_and_gradient_equal_the_reference(file, entry, loss, labels, weights):
  golden, _ = support.load_golden(file)
  # Hinge and softmax take unbounded scores, cross entropy takes probabilities.
  scores = "predictions" if entry.startswith("xent") else "logits"
  predictions = tf.constant(golden[scores])
  with tf.GradientTape() as tape:
    tape.watch(predictions)
    per_video = loss.call(golden[labels], predictions,
                          golden[weights] if weights else None)
    mean = tf.reduce_mean(per_video)
  assert per_video.shape == (6,)
  np.testing.assert_allclose(mean, golden[f"{entry}/loss"], rtol=1e-5)
  np.testing.assert_allclose(
      tape.gradient(mean, predictions), golden[f"{entry}/grad_predictions"],
      rtol=1e-4, atol=1e-7)


@support.needs_goldens
def test_every_golden_loss_has_a_case():
  for file in ("losses_starter", "losses_linrongc", "losses_willow"):
    golden, _ = support.load_golden(file)
    entries = {key[:-len("/loss")] for key in golden if key.endswith("/loss")}
    assert entries == {case[1] for case in CASES if case[0] == file}


@pytest.mark.parametrize("name", losses.LOSSES)
def test_label_weights_scale_terms_and_not_the_denominator(name):
  loss = losses.LOSSES[name]()
  rng = np.random.default_rng(0)
  predictions = rng.random((4, 6), np.float32)
  labels = rng.random((4, 6)) < 0.3
  ones = loss.call(labels, predictions, np.ones((4, 6)))
  np.testing.assert_allclose(ones, loss.call(labels, predictions), rtol=1e-6)
  np.testing.assert_allclose(
      loss.call(labels, predictions, np.full((4, 6), 0.5)), ones / 2, rtol=1e-6)
  # A class that is not rated has no influence.
  rated = np.ones((4, 6), np.float32)
  rated[:, 2] = 0
  changed = predictions.copy()
  changed[:, 2] = rng.random(4)
  if name != "SoftmaxLoss":
    np.testing.assert_array_equal(loss.call(labels, predictions, rated),
                                  loss.call(labels, changed, rated))


@pytest.mark.parametrize("name", losses.LOSSES)
def test_keras_call_is_the_mean_over_videos_and_config_round_trips(name):
  loss = losses.LOSSES[name]()
  rng = np.random.default_rng(1)
  predictions = rng.random((4, 6), np.float32)
  labels = (rng.random((4, 6)) < 0.3).astype(np.float32)
  clone = type(loss).from_config(loss.get_config())
  np.testing.assert_allclose(
      clone(labels, predictions),
      np.mean(loss.call(labels, predictions)), rtol=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_keras_weights_videos_or_labels(name):
  """Soft labels, eager and in a graph that does not know the rank of the weights."""
  loss = tf.keras.losses.get(name)
  rng = np.random.default_rng(2)
  labels, predictions = rng.random((2, 4, 6), np.float32)
  of_labels = rng.random((4, 6)) < 0.5
  of_videos = np.float32([1, 0, 0.5, 2])
  any_rank = tf.function(loss, reduce_retracing=True, input_signature=[
      tf.TensorSpec([4, 6]), tf.TensorSpec([4, 6]), tf.TensorSpec(None)])
  for call in (loss, any_rank):
    for weights in (of_labels, of_videos, of_videos[:, np.newaxis]):
      weights = np.float32(weights)
      expected = np.mean(loss.call(labels, predictions, weights.reshape(4, -1)))
      np.testing.assert_allclose(
          call(labels, predictions, weights), expected, rtol=1e-6)


@pytest.mark.parametrize("loss", [
    losses.CrossEntropyLoss(epsilon=1e-8, alpha=0.7), losses.HingeLoss(margin=2.0),
    losses.AsymmetricLoss(gamma_positive=1.0, margin=0.1),
    losses.SoftmaxLoss(name="mine")], ids=lambda loss: loss.name)
def test_serialised_as_a_class_of_this_package(loss):
  config = json.loads(json.dumps(tf.keras.losses.serialize(loss)))
  assert config["registered_name"] == f"yt8m>{type(loss).__name__}"
  restored = tf.keras.losses.deserialize(config)
  assert type(restored) is type(loss)
  assert restored.get_config() == loss.get_config()


def test_an_unknown_loss_names_the_closest():
  with pytest.raises(ValueError, match="Valid: CrossEntropyLoss, "):
    losses.LOSSES["CrossEntropy"]


@pytest.mark.parametrize("gammas", [(0.0, 4.0), (1.0, 2.0), (0.0, 0.0), (1.5, 1.0)])
def test_asymmetric_loss_equals_its_equation(gammas):
  rng = np.random.default_rng(0)
  p, y, w = rng.random((3, 6, 7))
  q = np.maximum(p - 0.1, 0)
  terms = (y * (1 - p) ** gammas[0] * np.log(p + 1e-5)
           + (1 - y) * q ** gammas[1] * np.log(1 - q + 1e-5))
  loss = losses.AsymmetricLoss(*gammas, margin=0.1)
  np.testing.assert_allclose(loss.call(y, p), -terms.sum(axis=1), rtol=1e-5)
  np.testing.assert_allclose(loss.call(y, p, w), -(w * terms).sum(axis=1), rtol=1e-5)


def test_asymmetric_loss_by_hand():
  loss = losses.AsymmetricLoss(epsilon=0.0)
  # A positive, a negative, and one below the margin.
  np.testing.assert_allclose(
      loss.terms(tf.constant([1.0, 0.0, 0.0]), tf.constant([0.5, 0.55, 0.04])),
      [np.log(2), 0.5 ** 4 * np.log(2), 0], rtol=1e-5)
  plain = losses.AsymmetricLoss(0.0, 0.0, 0.0)
  rng = np.random.default_rng(1)
  labels, scores = rng.random((2, 4, 6), np.float32)
  np.testing.assert_allclose(
      plain.call(labels, scores), losses.CrossEntropyLoss().call(labels, scores),
      rtol=1e-5)


@pytest.mark.parametrize("gammas", [(0.0, 4.0), (1.0, 1.0), (0.0, 0.0)])
@pytest.mark.parametrize("margin", [0.0, 0.05])
def test_gradients_of_the_asymmetric_loss_are_finite(gammas, margin):
  p = tf.constant([[0.0, 1.0, 0.05]] * 2)
  with tf.GradientTape() as tape:
    tape.watch(p)
    loss = losses.AsymmetricLoss(*gammas, margin).call([[1] * 3, [0] * 3], p)
  assert np.isfinite(loss).all() and np.isfinite(tape.gradient(loss, p)).all()


@pytest.mark.parametrize("arguments, words", [
    ({"gamma_positive": -1.0}, "gamma_positive of the AsymmetricLoss is -1.0"),
    ({"gamma_negative": 0.5}, "gamma_negative of the AsymmetricLoss is 0.5"),
    ({"margin": 1.0}, "margin of the AsymmetricLoss is 1.0")])
def test_asymmetric_loss_refuses_what_is_out_of_range(arguments, words):
  with pytest.raises(ValueError, match=words):
    losses.AsymmetricLoss(**arguments)
