# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Classes by name, and the values of a weight that belong to each class."""

import numpy as np
import pytest

from tests.helpers import descriptors
from yt8m import models
from yt8m.core.vocabulary import Vocabulary
from yt8m.training import class_axes


def find(classifier):
  model = models.VideoModel(
      descriptors.NUM_CLASSES, descriptors.SPECS["video"], classifier=classifier)
  return class_axes.find(model)


@pytest.mark.parametrize("classifier, expected", [
    ("logistic", {"logits/kernel": (0, 1), "logits/bias": (1,)}),
    ({"name": "moe", "num_mixtures": 3}, {
        "gates/kernel": (0, 4), "experts/kernel": (0, 3), "experts/bias": (3,)}),
    ({"name": "moe", "low_rank_gates": 6}, {"shared_gates/kernel": (0, 0)}),
    ({"name": "hidden", "units": 6}, {
        "hidden/dense/kernel": (0, 0), "head/logits/kernel": (0, 1)}),
    ("gated", {"gate/gate/kernel": (1, 1), "gate/norm/moving_mean": (1,),
               "head/gates/kernel": (0, 3)}),
    ("class_chain", {"vectors": (1, 0), "logits/bias": (1,), "ranks": (1,)}),
    ({"name": "label_powerset", "num_sets": 6}, {
        "logits/kernel": (0, 0), "sets": (0, 0)}),
    ("conditional", {"couplings": (1,), "evidence/encode/kernel": (1, 0), "draws": ()})])
def test_values_of_each_class(classifier, expected):
  found = find(classifier)
  for path, per_class in expected.items():
    assert found[f"classifier/{path}"] == per_class, path


def vocabulary(*names):
  return Vocabulary.of(dict(enumerate(names)), len(names))


@pytest.mark.parametrize("here, there, pairs, identity", [
    (None, None, [(0, 0), (1, 1), (2, 2)], True),
    (vocabulary("a", "b", "c"), None, [(0, 0), (1, 1), (2, 2)], True),
    (vocabulary("a", "b", "c"), vocabulary("a", "b", "c"), [(0, 0), (1, 1), (2, 2)],
     True),
    (vocabulary("a", "b", "c"), vocabulary("c", "a", "x"), [(0, 1), (2, 0)], False),
    (vocabulary("a", "b", "c"), vocabulary("c", "b", "a"), [(0, 2), (1, 1), (2, 0)],
     False),
    # Classes without names are not those of the same number.
    (vocabulary("a", "", "c"), vocabulary("c", "", "a"), [(0, 2), (2, 0)], False)])
def test_classes_by_name(here, there, pairs, identity):
  classes = class_axes.ClassMap.of_names(here, 3, there, 3)
  assert list(zip(classes.here, classes.there, strict=True)) == pairs
  assert classes.is_identity == identity
  assert classes.is_complete == (len(pairs) == 3)


def test_other_numbers_of_classes_without_names_have_none_in_common():
  classes = class_axes.ClassMap.of_names(vocabulary("a", "b"), 2, None, 3)
  assert not len(classes.here) and not classes.is_identity


def test_merge_takes_all_values_of_a_class_and_what_belongs_to_none():
  classes = class_axes.ClassMap([0, 2], [1, 0], 3, 2)
  here = np.zeros((2, 7))  # three classes of two values each, and one of no class
  there = np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
  np.testing.assert_array_equal(classes.merge(here, there, (0, 2)), [
      [3, 4, 0, 0, 1, 2, 5], [8, 9, 0, 0, 6, 7, 10]])
  assert not here.any()
  # Two axes of classes: only pairs of known classes.
  np.testing.assert_array_equal(
      classes.merge(np.zeros((3, 3)), np.array([[1, 2], [3, 4]]), (1, 1)),
      [[4, 0, 3], [0, 0, 0], [2, 0, 1]])
  assert classes.merge(np.zeros(()), np.array(3), ()) == 3


@pytest.mark.parametrize("shape, per_class", [
    ((3, 4), (0, 2)), ((2, 6), (0, 2)), ((2, 5, 1), (0, 2))])
def test_merge_of_shapes_that_do_not_fit(shape, per_class):
  classes = class_axes.ClassMap([0, 2], [1, 0], 3, 2)
  there = np.zeros((2, 5))
  assert classes.merge(np.zeros(shape), there, per_class) is None
