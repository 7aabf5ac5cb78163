# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a model on a dataset: metrics, weights, and results on disk."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.core import feature_spec
from yt8m.eval.metrics import evaluation
from yt8m.eval.metrics import streaming
from yt8m.models import losses
from yt8m.models import prediction


def make(rows=11, classes=6, weights=False):
  rng = np.random.default_rng(0)
  spec = feature_spec.FeatureSpec(("x",), (4,), "video")
  model = models.VideoModel(classes, spec).build_variables()
  batch = {"id": tf.constant([f"v{i}" for i in range(rows)]),
           "features": {"x": tf.constant(rng.normal(size=(rows, 4)), tf.float32)},
           "num_frames": tf.ones(rows, tf.int32),
           "labels": tf.constant(rng.random((rows, classes)) < 0.4)}
  if weights:
    batch["label_weights"] = tf.constant(
        (rng.random((rows, classes)) < 0.5).astype(np.float32))
  return model, batch


def measure(model, dataset, top_k=None):
  return evaluation.evaluate(prediction.prediction_function(model), model.num_classes,
                             dataset, top_k, losses.CrossEntropyLoss())


def test_equals_the_metrics_of_all_scores_at_once():
  model, batch = make()
  scores = model(batch)["predictions"].numpy()
  metrics = measure(
      model, tf.data.Dataset.from_tensor_slices(batch).batch(4), top_k=5)
  values = metrics.get()
  assert metrics.num_examples == 11
  assert values["gap"] == pytest.approx(streaming.gap(scores, batch["labels"], 5))
  assert values["avg_loss"] == pytest.approx(float(np.mean(
      losses.CrossEntropyLoss().call(batch["labels"], scores))), rel=1e-6)
  line = evaluation.format_line("step 30", values)
  assert f"GAP: {values['gap']:.4f}" in line and line.startswith("step 30 | ")


def test_unrated_classes_are_neither_predicted_nor_counted_in_the_loss():
  model, batch = make(weights=True)
  rated = batch["label_weights"].numpy()
  scores = model(batch)["predictions"].numpy()
  metrics = measure(model, [batch], top_k=6)
  values = metrics.get()
  assert values["gap"] == pytest.approx(
      streaming.gap(scores * rated, batch["labels"], 6))
  assert values["avg_loss"] == pytest.approx(float(np.mean(
      losses.CrossEntropyLoss().call(batch["labels"], scores, rated))), rel=1e-6)


def test_top_k_is_at_most_the_classes():
  model, batch = make()
  assert measure(model, [batch]).top_k == 6
  with pytest.raises(ValueError, match="--top_k=7 .* number of classes, 6"):
    measure(model, [batch], top_k=7)


def test_without_examples():
  with pytest.raises(ValueError, match="No example in --data=x: name other records."):
    evaluation.check_labels(streaming.EvaluationMetrics(6, 3), "--data=x")
