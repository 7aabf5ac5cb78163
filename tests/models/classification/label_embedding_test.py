# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The head in the hidden space of the label network, against numpy."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import toy_labels
from yt8m import models
from yt8m.models.layers import label_network
from yt8m.training import label_start


def pretrained(**hparams):
  """A head after the label sets of `toy_labels`, and the weights that it received."""
  head = models.LabelEmbedding(4, units=3, pretraining_epochs=1, **hparams)
  x = tf.constant(np.random.default_rng(0).normal(size=(5, 2)), tf.float32)
  head(x)
  _, sets = toy_labels.toy_sets(n=200)
  calls = []

  def pretrain(*arguments):
    calls.append((arguments, label_start.pretrain(sets, *arguments)))
    return calls[-1][1]

  assert head.lacks_label_sets()
  head.start_from_label_sets(sets, pretrain)
  return head, x, calls


def test_scores_in_numpy():
  head, x, _ = pretrained()
  rng = np.random.default_rng(1)
  kernel, u, b = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=4)
  head.embed.set_weights([kernel, u])
  head.bias.assign(b)
  logits = (x.numpy() @ kernel + u) @ head.decode.kernel.numpy() + b
  np.testing.assert_allclose(head(x), 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_the_decoder_is_that_of_the_label_network():
  head, _, [(arguments, weights)] = pretrained(seed=7)
  assert arguments == (4, 3, 1, 7)
  network = label_network.LabelNetwork(4, 3)
  network.build((None, 4))
  network.set_weights(weights)
  np.testing.assert_array_equal(head.decode.kernel, network.decode.kernel)
  assert not head.lacks_label_sets()


@pytest.mark.parametrize("train_decoder", [False, True])
def test_every_input_starts_at_the_prior_and_has_a_gradient(train_decoder):
  head, x, _ = pretrained(train_decoder=train_decoder)
  prior = np.array([0.5, 0.1, 0.01, 1e-4])
  head.start_from_prior(prior)
  with tf.GradientTape() as tape:
    scores = head(x)
    loss = tf.reduce_sum(scores)
  np.testing.assert_allclose(scores, np.tile(prior, (5, 1)), rtol=1e-3)
  assert len(head.trainable_variables) == 3 + train_decoder
  assert np.any(tape.gradient(loss, head.embed.kernel))


def test_without_label_sets_the_decoder_starts_at_random():
  head = models.LabelEmbedding(4, units=3, pretraining_epochs=0, train_decoder=True)
  head(tf.zeros((1, 2)))
  assert not head.needs_label_sets and not head.lacks_label_sets()
  assert np.all(head.decode.kernel.numpy() != 0)


def test_behind_a_hidden_layer():
  model = models.VideoModel(4, descriptors.SPECS["video"], classifier={
      "name": "hidden", "units": 5, "head": {"name": "label_embedding", "units": 3,
                                             "pretraining_epochs": 1}})
  assert model.needs_label_sets and model.lacks_label_sets
  label_start.start_from_label_sets(model, toy_labels.toy_sets(n=100)[1])
  assert not model.lacks_label_sets


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="units is 0, must be at least 1"):
    models.LabelEmbedding(4, units=0)
  with pytest.raises(ValueError, match="give pretraining_epochs or train_decoder"):
    models.LabelEmbedding(4, pretraining_epochs=0)
