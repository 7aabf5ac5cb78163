# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training of the label network on label sets without features."""

import gc
import weakref

import numpy as np
import pytest

from tests.helpers import descriptors
from tests.helpers import support
from tests.helpers import toy_labels
from yt8m import models
from yt8m.data import label_sets
from yt8m.models.layers import label_network
from yt8m.training import label_start


def sigmoid(z):
  return 1.0 / (1.0 + np.exp(-z))


def logit(p):
  return np.log(p) - np.log1p(-p)


def test_pretraining_learns_conditional_probabilities():
  labels, sets = toy_labels.toy_sets(n=20000)
  network = label_network.LabelNetwork(4, 16)
  network.build((None, 4))
  weights = label_start.pretrain(sets, 4, 16, num_epochs=15, batch_size=100)
  network.set_weights(weights)
  np.testing.assert_allclose(network(np.zeros((1, 4))), np.zeros((1, 4)), atol=1e-7)
  q = network(np.eye(4, dtype=np.float32)).numpy()
  p = sigmoid(logit(sets.prior()) + q)
  # Of a set of n labels, exactly one given label is observed with probability
  # ∫ r (1 − r)ⁿ⁻¹ dr = 1 / (n (n + 1)).
  sizes = labels.sum(axis=1)
  expected = np.array([
      np.average(labels[labels[:, c]], axis=0,
                 weights=1 / (sizes * (sizes + 1.0))[labels[:, c]]) for c in range(4)])
  off_diagonal = ~np.eye(4, dtype=bool)
  np.testing.assert_allclose(p[off_diagonal], expected[off_diagonal], atol=0.04)
  arguments = dict(num_epochs=15, batch_size=100)
  again = label_start.pretrain(sets, 4, 16, **arguments)
  for one, other in zip(weights, again, strict=True):
    np.testing.assert_array_equal(one, other)


def test_pretraining_needs_label_sets():
  empty = label_sets.LabelSets.from_matrix(np.zeros((0, 4)))
  with pytest.raises(ValueError, match="no label sets to learn from"):
    label_start.pretrain(empty, 4, 3, 1)


@pytest.fixture
def trained(monkeypatch):
  """Records the arguments of every training of a label network."""
  calls = []
  pretrain = label_start.pretrain

  def record(sets, *arguments, **options):
    calls.append(arguments)
    return pretrain(sets, *arguments, **options)

  monkeypatch.setattr(label_start, "pretrain", record)
  return calls


def test_branches_of_a_mixture_share_one_training(trained):
  model = models.VideoModel(
      4, descriptors.SPECS["video"], mixture={"branches": 3},
      classifier={"name": "conditional", "units": 3, "pretraining_epochs": 1})
  model.build_variables()
  label_start.start_from_label_sets(model, toy_labels.toy_sets(n=100)[1])
  assert trained == [(4, 3, 1, 0)]
  first, *others = (c.evidence.get_weights() for c in model.classifiers)
  assert np.any(first[-1])
  for weights in others:
    for one, other in zip(first, weights, strict=True):
      np.testing.assert_array_equal(one, other)


def test_label_sets_are_released_after_training():
  model = models.VideoModel(
      4, descriptors.SPECS["video"],
      classifier={"name": "conditional", "units": 3, "pretraining_epochs": 1})
  model.build_variables()
  sets = toy_labels.toy_sets(n=100)[1]
  reference = weakref.ref(sets)
  label_start.start_from_label_sets(model, sets)
  del sets
  gc.collect()
  assert reference() is None


@support.needs_data
def test_real_label_sets_know_that_a_car_is_a_vehicle():
  sets = label_sets.LabelSets.load(
      str(support.DATA / "yt8m" / "label_sets_980k.npz"), 3862)
  first = slice(0, int(sets.sizes[:30000].sum()))
  few = label_sets.LabelSets(sets.classes[first], sets.sizes[:30000], 3862)
  weights = label_start.pretrain(
      few, 3862, 32, num_epochs=2, batch_size=64)
  network = label_network.LabelNetwork(3862, 32)
  network.build((None, 3862))
  network.set_weights(weights)
  matrix = np.zeros((len(few), 10), bool)
  head = few.classes < 10
  matrix[few.rows[head], few.classes[head]] = True
  counts = matrix.T.astype(float) @ matrix
  conditional = counts / np.diag(counts)[:, None]
  np.fill_diagonal(conditional, 0)
  one, other = np.unravel_index(conditional.argmax(), conditional.shape)
  observed = np.zeros((1, 3862), np.float32)
  observed[0, one] = 1
  p = sigmoid(logit(few.prior()) + network(observed).numpy()[0])
  assert conditional[one, other] > 0.9
  assert p[other] > 0.5 > 3 * few.prior()[other]
