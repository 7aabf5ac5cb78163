# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The model: its variables exist when Keras saves, loads or calls it, and its errors."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.core import registry
from yt8m.models import prediction

keras = tf.keras

OPTIONS = {"aggregation": {"name": "netvlad", "clusters": 3, "projection": 5, "units": 4},
           "classifier": {"name": "conditional", "units": 4, "head": "moe"},
           "sampling": {"num_frames": 4}, "mixture": {"branches": 2}}


def make(**changes):
  return models.VideoModel(6, descriptors.SPECS["frame"], **{**OPTIONS, **changes})


def test_a_model_that_was_never_called_can_be_saved(tmp_path):
  batch = prediction.model_inputs(descriptors.batch("frame"))
  model = make()
  with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)  # "It might not contain any weights yet."
    model.save(tmp_path / "model.keras")
  loaded = keras.models.load_model(tmp_path / "model.keras")
  np.testing.assert_array_equal(loaded(batch)["predictions"], model(batch)["predictions"])
  model = make()
  model.save_weights(tmp_path / "model.weights.h5")
  other = make()
  other.load_weights(tmp_path / "model.weights.h5")
  np.testing.assert_array_equal(other(batch)["predictions"], model(batch)["predictions"])


def test_a_layer_of_a_functional_model_is_loaded_with_its_weights(tmp_path):
  inputs = {name: keras.Input((size,), name=name)
            for name, size in (("rgb", 8), ("audio", 4))}
  layer = models.VideoModel(6, descriptors.SPECS["video"])
  outputs = layer({"features": inputs})["predictions"]
  model = keras.Model(inputs, outputs)
  model.save(tmp_path / "model.keras")
  features = descriptors.batch("video")["features"]
  np.testing.assert_array_equal(
      keras.models.load_model(tmp_path / "model.keras")(features), model(features))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_the_first_call_creates_the_same_variables_as_a_build(training, compiled):
  batch = prediction.training_inputs(descriptors.batch("frame"))
  keras.utils.set_random_seed(0)
  keras.backend.clear_session()
  built = make().build_variables()
  values = [np.array(w) for w in built.weights]
  keras.utils.set_random_seed(0)
  keras.backend.clear_session()
  called = make()
  with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)
    call = lambda inputs: called(inputs, training=training)["predictions"]  # noqa: E731
    (tf.function(call) if compiled else call)(batch)
  for one, other, value in zip(called.weights, built.weights, values, strict=True):
    assert getattr(one, "path", one.name) == getattr(other, "path", other.name)
    if one.trainable:
      np.testing.assert_array_equal(one, value)
  assert [int(w) for w in called.weights if "draws" in w.name] == [int(training)] * 3


def test_a_built_model_can_be_exported(tmp_path):
  make(mixture=None, sampling=None).build_variables().export(str(tmp_path / "exported"))
  signature = tf.saved_model.load(str(tmp_path / "exported")).serve.input_signature
  assert tf.nest.flatten(signature)[1].shape[-1] == 8


def test_building_twice_keeps_the_variables():
  model = make().build_variables()
  weights = [id(w) for w in model.weights]
  assert [id(w) for w in model.build_variables().weights] == weights


def test_a_saved_class_of_the_users_own_needs_permission(tmp_path, monkeypatch):
  (tmp_path / "my_heads.py").write_text(
      "from yt8m.models.classification import binary_relevance\n"
      "class Cautious(binary_relevance.Logistic):\n"
      "  def __init__(self, num_classes, factor=1.0, l2_penalty=1e-8, **kwargs):\n"
      "    super().__init__(num_classes, l2_penalty, **kwargs)\n"
      "    self.factor = factor\n"
      "  def call(self, x):\n"
      "    return self.factor * super().call(x)\n")
  monkeypatch.syspath_prepend(str(tmp_path))
  batch = prediction.model_inputs(descriptors.batch("video"))
  with registry.allow_code(["my_heads"]):
    model = models.VideoModel(6, descriptors.SPECS["video"], classifier={
        "name": "my_heads:Cautious", "factor": 0.25})
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
  np.testing.assert_array_equal(loaded(batch)["predictions"], model(batch)["predictions"])
  with pytest.raises(Exception, match="--allow_code=my_heads"):
    keras.models.load_model(tmp_path / "model.keras")


def test_options_hold_every_hyperparameter_in_plain_types():
  config = make(classifier="moe").get_config()
  assert config["classifier"] == {
      "name": "moe", "num_mixtures": 2, "low_rank_gates": 0, "l2_penalty": 1e-8}
  assert type(config["classifier"]) is dict
  assert config["sampling"] == {"num_frames": 4} and config["mixture"] == {"branches": 2}


@pytest.mark.parametrize("level, options, message", [
    ("video", {"aggregation": "mean"}, "the features are video-level"),
    ("video", {"sampling": {"num_frames": 3}}, "the features are video-level"),
    ("frame", {}, "Frame-level features need an aggregation"),
])
def test_errors_name_the_flags(level, options, message):
  with pytest.raises(ValueError, match=message):
    models.VideoModel(6, descriptors.SPECS[level], **options)


def test_frozen_layers_are_saved(tmp_path):
  model = make(mixture=None)
  model.aggregation.trainable = False
  model.compile("adam")
  model.save(tmp_path / "model.keras")
  loaded = keras.models.load_model(tmp_path / "model.keras")
  assert not loaded.aggregation.trainable and loaded.classifier.trainable
  assert ([w.shape for w in loaded.trainable_variables]
          == [w.shape for w in model.trainable_variables])


def test_export_of_keras_declares_the_types_of_the_features(tmp_path):
  model = models.VideoModel(6, descriptors.SPECS["frame"], aggregation="mean")
  batch = prediction.model_inputs(descriptors.batch("frame"))
  model.export(str(tmp_path / "exported"))
  exported = tf.saved_model.load(tmp_path / "exported")
  assert batch["features"]["rgb"].dtype == tf.uint8
  np.testing.assert_allclose(exported.serve(batch)["predictions"],
                             model(batch)["predictions"], rtol=1e-5)


def test_another_precision_is_refused(tmp_path):
  keras.mixed_precision.set_global_policy("mixed_float16")
  try:
    make().save(tmp_path / "model.keras")
  finally:
    keras.mixed_precision.set_global_policy("float32")
  with pytest.raises(ValueError, match="float16 .*set_global_policy.'mixed_float16'."):
    keras.models.load_model(tmp_path / "model.keras")
