# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A calibrated model: what it changes, where, and that it can be saved."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models.calibration import calibration

HPARAMS = {"num_sets": 6, "num_labels": 12, "num_candidates": 3, "label_units": 5,
           "units": 4}


def make(**hparams):
  """Returns a calibration with random weights."""
  layer = calibration.Calibration(descriptors.NUM_CLASSES, **{**HPARAMS, **hparams})
  layer.build((None, descriptors.NUM_CLASSES))
  fill(layer)
  return layer


def fill(layer):
  rng = np.random.default_rng(0)
  for weight in layer.weights:
    weight.assign(tf.cast(rng.uniform(0.1, 0.5, size=weight.shape), weight.dtype))
  rows = np.sort(np.arange(HPARAMS["num_labels"]) % HPARAMS["num_sets"])
  layer.posterior.members.assign(np.stack(
      [rows, rng.integers(descriptors.NUM_CLASSES, size=len(rows))], axis=1))


def scores(rows=5):
  return tf.constant(np.random.default_rng(1).uniform(
      size=(rows, descriptors.NUM_CLASSES)).astype(np.float32))


def test_only_the_candidates_are_scored_again():
  layer, p = make(), scores()
  features, classes, blend = layer.describe(p)
  assert features.shape == (5, 3, calibration.NUM_FEATURES)
  np.testing.assert_allclose(
      features[..., calibration.BLEND],
      np.log(np.sort(blend, axis=1)[:, :-4:-1] / (1 - np.sort(blend, axis=1)[:, :-4:-1])),
      rtol=1e-3)
  changed = layer(p).numpy() != blend.numpy()
  np.testing.assert_array_equal(np.sort(np.nonzero(changed)[1].reshape(5, 3)),
                                np.sort(classes))


def test_the_calibrator_of_an_ensemble_reads_its_members():
  layer, p = make(num_members=2), scores()
  members = tf.stack([p, 1 - p], axis=1)
  features, classes, _ = layer.describe(p, members)
  best = np.take_along_axis(p.numpy(), classes.numpy(), axis=1)
  logits = np.log(best / (1 - best))
  assert features.shape == (5, 3, calibration.NUM_FEATURES + 2)
  np.testing.assert_allclose(features[..., -2:], np.stack([logits, -logits], -1),
                             rtol=1e-3)
  assert np.abs(layer(p, members) - layer(p, members[:, ::-1])).max() > 1e-3


def test_a_single_model_has_no_members():
  with pytest.raises(ValueError, match="num_members=2, but only an ensemble"):
    calibration.build(descriptors.NUM_CLASSES, {**HPARAMS, "num_members": 2})


def test_without_labels_that_go_together_it_is_the_identity():
  layer, p = make(num_candidates=100), scores()  # more than there are classes
  features = layer.describe(p)[0].numpy()
  layer.coupling.assign(0.0)
  layer.posterior_share.assign(0.0)
  layer.pairs.start_from(features.reshape(-1, calibration.NUM_FEATURES),
                         calibration.BLEND)
  np.testing.assert_allclose(layer(p), p, rtol=1e-3)


def test_rows_do_not_depend_on_one_another():
  layer, p = make(), scores(40)
  np.testing.assert_allclose(layer(p)[35:], layer(p[35:]), rtol=1e-4)


def test_extreme_scores_stay_finite():
  p = tf.constant(np.stack([np.zeros(descriptors.NUM_CLASSES),
                            np.ones(descriptors.NUM_CLASSES)]).astype(np.float32))
  result = make()(p).numpy()
  assert np.isfinite(result).all() and (result >= 0).all() and (result <= 1).all()


@pytest.fixture
def model():
  model = models.VideoModel(
      **descriptors.build("classifier-moe").get_config(), calibration=HPARAMS)
  model.build_variables()
  fill(model.calibration)
  return model


def test_a_model_is_calibrated_at_inference_only(model):
  batch = descriptors.batch("video")
  plain = models.VideoModel(**{**model.get_config(), "calibration": None})
  plain.build_variables()
  plain.scorer.set_weights(model.scorer.get_weights())
  before = plain(batch, training=False)["predictions"]
  np.testing.assert_array_equal(
      model(batch, training=True)["predictions"],
      plain(batch, training=True)["predictions"])
  np.testing.assert_allclose(model(batch, training=False)["predictions"],
                             model.calibration(before), rtol=1e-6)
  assert not model.calibration.trainable_weights


def test_a_calibrated_model_is_saved(model, tmp_path):
  batch = descriptors.batch("video")
  expected = model(batch, training=False)["predictions"]
  model.save(tmp_path / "model.keras")
  loaded = tf.keras.models.load_model(tmp_path / "model.keras")
  np.testing.assert_array_equal(loaded(batch, training=False)["predictions"], expected)


def test_unknown_hyperparameters_are_named():
  config = descriptors.build("classifier-moe").get_config()
  with pytest.raises(ValueError, match="calibration has no hyperparameter colour"):
    models.VideoModel(**config, calibration={**HPARAMS, "colour": 1})
  with pytest.raises(ValueError, match="calibration needs num_sets"):
    models.VideoModel(**config, calibration={"num_labels": 3})


def test_the_number_of_steps_is_limited():
  with pytest.raises(ValueError, match="num_steps of the calibration is 1000000000, and"):
    make(num_steps=10**9)
