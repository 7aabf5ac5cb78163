# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Values of the options, computed by hand or by a numpy twin."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.classification import classifier
from yt8m.models.layers import masking

keras = tf.keras


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def test_mean_of_valid_frames_by_hand():
  x = tf.constant([[[1.0], [3.0], [100.0]], [[5.0], [100.0], [100.0]]])
  mask = masking.frame_mask(tf.constant([2, 1]), 3)
  np.testing.assert_array_equal(models.Mean()(x, frame_mask=mask), [[2.0], [5.0]])
  np.testing.assert_allclose(models.Mean()(x), [[104 / 3], [205 / 3]], rtol=1e-6)


def test_padding_may_hold_anything():
  x = tf.constant([[[1.0], [np.nan]]])
  mask = masking.frame_mask(tf.constant([1]), 2)
  assert masking.masked_mean(x, mask).numpy() == [[1.0]]
  assert masking.masked_max(x, mask).numpy() == [[1.0]]


def test_sum_is_the_sum_of_projections():
  rng = np.random.default_rng(0)
  v, a = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 2))
  layer = models.Sum(units=5)
  mask = masking.frame_mask(tf.constant([3, 1]), 3)
  found = layer([tf.constant(v, tf.float32), tf.constant(a, tf.float32)],
                frame_mask=mask)
  layer.projections[0].bias.assign(np.ones(5))
  found = layer([tf.constant(v, tf.float32), tf.constant(a, tf.float32)],
                frame_mask=mask)
  w, u = [p.kernel.numpy() for p in layer.projections]
  expected = v @ w + a @ u + 1
  expected[1, 1:] = 0
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_moe_numpy_twin():
  rng = np.random.default_rng(2)
  x = rng.normal(size=(3, 4))
  head = models.MixtureOfExperts(5, num_mixtures=3)
  found = head(tf.constant(x, tf.float32))
  gates = (x @ head.gates.kernel.numpy()).reshape(3, 5, 4)
  gates = np.exp(gates) / np.exp(gates).sum(-1, keepdims=True)
  experts = (x @ head.experts.kernel.numpy() + head.experts.bias.numpy())
  expected = (gates[..., :3] * sigmoid(experts.reshape(3, 5, 3))).sum(-1)
  np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("name", models.CLASSIFIERS.names())
def test_every_classifier_starts_at_the_prior(name):
  """An input of zeros has no information, so its scores are the class frequencies."""
  prior = np.array([0.5, 0.1, 0.01, 1e-4])
  head = registries.build_option(models.CLASSIFIERS, name, num_classes=4)
  head(tf.zeros((1, 3)))
  head.start_from_prior(prior)
  scores, _ = registries.split_intermediates(head(tf.zeros((1, 3))))
  np.testing.assert_allclose(scores[0], prior, rtol=1e-3)


def test_log_odds_of_0_and_1_are_finite():
  assert np.all(np.isfinite(classifier.log_odds([0.0, 1.0])))


def test_a_class_of_the_users_own_is_an_option(tmp_path, monkeypatch):
  (tmp_path / "my_options.py").write_text(
      "import tensorflow as tf\n"
      "class Last(tf.keras.layers.Layer):\n"
      "  def __init__(self, offset=1, **kwargs):\n"
      "    super().__init__(**kwargs)\n"
      "    self.offset = offset\n"
      "  def call(self, x, frame_mask=None):\n"
      "    n = tf.reduce_sum(tf.cast(frame_mask, tf.int32), axis=1)\n"
      "    return tf.gather(x, n - self.offset, batch_dims=1), {'last': n}\n")
  monkeypatch.syspath_prepend(str(tmp_path))
  spec = feature_spec.FeatureSpec(("x",), (3,), "frame")
  with registry.allow_code(["my_options"]):
    model = models.VideoModel(4, spec, aggregation={"name": "my_options:Last"})
  outputs = model({"features": {"x": tf.zeros((2, 5, 3), tf.uint8)},
                   "num_frames": tf.constant([2, 5])})
  assert outputs["predictions"].shape == (2, 4)
  np.testing.assert_array_equal(outputs["last"], [2, 5])


def test_hyperparameter_errors_name_option_and_flag():
  with pytest.raises(ValueError, match="Unknown pooling 'min'. Valid: max, average"):
    models.DeepBagOfFrames(pooling="min")
  with pytest.raises(ValueError, match="num_mixtures is 0"):
    models.MixtureOfExperts(4, num_mixtures=0)


@pytest.mark.parametrize("options, message", [
    ({"classifier": {"name": "moe", "num_mixtures": "3"}},
     "classifier 'moe': num_mixtures is '3', but must be of type int (--hparams)"),
    ({"classifier": {"name": "moe", "num_mixtures": 2.5}}, "num_mixtures is 2.5"),
    ({"classifier": {"name": "moe", "num_mixtures": True}}, "num_mixtures is True"),
    ({"classifier": {"name": "moe", "l2_penalty": None}}, "l2_penalty is None"),
    ({"classifier": {"name": "hidden", "head": {"name": "moe", "num_mixtures": []}}},
     "classifier 'moe': num_mixtures is []"),
    ({"aggregation": {"name": "blstm", "skip": 1}}, "skip is 1"),
    ({"aggregation": {"name": "dbof", "pooling": 1}}, "pooling is 1"),
    ({"sampling": {"num_frames": "3"}}, "sampling: num_frames is '3'"),
    ({"sampling": {"frames": 3}}, "sampling has no hyperparameter frames. Valid: method"),
    ({"sampling": {"method": "first"}}, "sampling needs num_frames (--hparams)"),
    ({"mixture": {"branches": 2, "temperature": "3"}}, "mixture: temperature is '3'"),
    ({"mixture": {"branches": 2, "temp": 3}}, "mixture has no hyperparameter temp"),
])
def test_types_of_hyperparameters_are_checked(options, message):
  spec = feature_spec.FeatureSpec(("x",), (3,), "frame")
  with pytest.raises(ValueError) as error:
    models.VideoModel(4, spec, **{"aggregation": "mean", **options})
  assert message in str(error.value)


def test_whole_numbers_may_stand_for_fractions():
  spec = feature_spec.FeatureSpec(("x",), (3,), "video")
  models.VideoModel(4, spec, classifier={"name": "moe", "l2_penalty": 0})
