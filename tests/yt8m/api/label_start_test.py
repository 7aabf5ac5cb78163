# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m.start_from_labels`."""

import numpy as np
import pytest
import tensorflow as tf

import yt8m
from tests.helpers import descriptors
from yt8m import models


def dataset(labels=True):
  batch = descriptors.batch("video", rows=40)
  if not labels:
    batch["labels"] = tf.zeros_like(batch["labels"])
  return tf.data.Dataset.from_tensor_slices(batch).batch(8), batch["labels"].numpy()


def make(classifier):
  return models.VideoModel(descriptors.NUM_CLASSES, descriptors.SPECS["video"],
                           classifier=classifier)


def test_the_scores_of_an_uninformative_input_are_the_prior():
  data, labels = dataset()
  model = yt8m.start_from_labels(make("logistic"), data, num_examples=20)
  nothing = {"features": {name: tf.zeros((1, size)) for name, size in
                          (("rgb", 8), ("audio", 4))}}
  counts = labels[:20].sum(axis=0)
  np.testing.assert_allclose(model(nothing)["predictions"][0], counts / 20, atol=0.03)


def test_label_sets_are_learnt():
  data, _ = dataset()
  model = make({"name": "conditional", "units": 4, "pretraining_epochs": 1})
  assert model.lacks_label_sets
  assert not yt8m.start_from_labels(model, data).lacks_label_sets


def test_a_kernel_regression_is_solved():
  data, _ = dataset()
  model = make({"name": "kernel", "num_features": 30})
  yt8m.start_from_labels(model, data)
  assert np.any(model.classifier.logits.kernel)


def test_no_labels():
  with pytest.raises(ValueError, match="no labels"):
    yt8m.start_from_labels(make("logistic"), dataset(labels=False)[0])
