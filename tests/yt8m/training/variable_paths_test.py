# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Paths of weights: complete, different, and the same for a second model."""

import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.training import variable_paths

keras = tf.keras

CASES = descriptors.chosen(descriptors.all_models(), variants=True, recipes=True)


@pytest.mark.parametrize("case", CASES)
def test_every_weight_has_a_path_that_a_second_model_has_too(case):
  model = descriptors.build(case)
  weights = variable_paths.of_model(model)
  assert {id(w.variable) for w in weights} == {id(w) for w in model.weights}
  assert len(weights) == len({w.path for w in weights})
  for weight, other in zip(
      weights, variable_paths.of_model(descriptors.build(case)), strict=True):
    assert weight.path == other.path
    assert weight.variable.shape == other.variable.shape
    assert weight.path.startswith(weight.part) or weight.part == "other"


def test_paths_name_modality_branch_and_head():
  model = models.VideoModel(
      3, descriptors.SPECS["frame"], fusion="late1", aggregation="lstm",
      classifier={"name": "gated", "head": "moe"}, mixture={"branches": 2})
  paths = [weight.path for weight in variable_paths.of_model(model)]
  assert any(path.startswith("aggregation_1_audio/") for path in paths)
  assert "classifier_0/head/experts/kernel" in paths
  assert "mixture/weigh/bias" in paths


def test_layers_in_lists_dictionaries_and_keras_models(monkeypatch):
  class Own(keras.layers.Layer):

    def __init__(self, num_classes, **kwargs):
      super().__init__(**kwargs)
      self.by_name = {"one": keras.layers.Dense(2)}
      self._stack = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(
          num_classes, activation="sigmoid")])

    def call(self, x):
      return self._stack(self.by_name["one"](x))

  monkeypatch.setitem(models.CLASSIFIERS, "own", Own)
  model = models.VideoModel(3, descriptors.SPECS["video"], classifier="own")
  paths = [weight.path for weight in variable_paths.of_model(model)]
  assert len(paths) == len(set(paths)) == len(model.weights) == 6
  assert "classifier/by_name/one/kernel" in paths
  assert all(path.startswith(("classifier/by_name/", "classifier/stack/"))
             for path in paths)


@pytest.mark.parametrize("prefix, covered", [
    ("classifier", True), ("classifier_0", True), ("classifier_0/head", True),
    ("classifier_0/he", False), ("classifier_1", False), ("aggregation", False)])
def test_a_prefix_covers_a_part_or_whole_names(prefix, covered):
  weight = variable_paths.Weight("classifier", "classifier_0/head/kernel", None, ())
  assert weight.is_in(prefix) == covered
