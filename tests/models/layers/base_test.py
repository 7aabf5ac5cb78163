# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The base class of the layers: configuration, registration and `built`."""

import inspect
import json

import pytest
import tensorflow as tf

from yt8m.models.layers import base

keras = tf.keras


class Scale(base.Layer):

  def __init__(self, factor=2.0, sizes=(), changes=None, **kwargs):
    super().__init__(**kwargs)
    self.factor, self.sizes = factor, list(sizes)
    self.changes = dict(changes or {})

  def build(self, input_shape):
    self.scale = self.add_weight(name="scale", shape=(input_shape[-1],),
                                 initializer=keras.initializers.Constant(self.factor))

  def call(self, x):
    return self.scale * x


class ScaleAndShift(Scale):

  def __init__(self, shift=1.0, **kwargs):
    super().__init__(**kwargs)
    self.shift = shift

  def build(self, input_shape):
    super().build(input_shape)
    self.inner = Scale()
    self.inner.build(input_shape)

  def call(self, x):
    return self.inner(super().call(x)) + self.shift


class Forgetful(base.Layer):

  def __init__(self, units=3, **kwargs):
    super().__init__(**kwargs)


def test_config_holds_own_and_inherited_parameters():
  layer = ScaleAndShift(shift=5.0, factor=3.0, sizes=(1, 2), changes={"a": {"b": 1}},
                        name="one")
  config = layer.get_config()
  assert config["name"] == "one"
  assert json.loads(json.dumps(config))["changes"] == {"a": {"b": 1}}
  assert type(config["changes"]) is dict and type(config["sizes"]) is list
  clone = ScaleAndShift.from_config(config)
  assert (clone.shift, clone.factor, clone.name) == (5.0, 3.0, "one")
  assert clone.get_config() == config


def test_a_parameter_that_is_not_stored_is_an_error():
  with pytest.raises(AttributeError, match="units"):
    Forgetful().get_config()


def test_built_is_set_by_a_direct_build_and_weights_exist_once():
  layer = ScaleAndShift()
  layer.build((None, 2))
  assert layer.built and layer.inner.built
  weights = [id(w) for w in layer.weights]
  assert len(weights) == 2
  assert layer(tf.ones((1, 2))).numpy().tolist() == [[5.0, 5.0]]
  assert [id(w) for w in layer.weights] == weights


def test_wrapping_keeps_the_signature_of_build():
  assert list(inspect.signature(Scale.build).parameters) == ["self", "input_shape"]


def test_parameters_of_keras_are_left_out():
  assert list(base.constructor_parameters(ScaleAndShift)) == [
      "shift", "factor", "sizes", "changes"]
  assert not base.constructor_parameters(base.Layer)
  assert not base.constructor_parameters(keras.layers.Dense)


def test_only_classes_of_this_package_are_registered():
  namespace = {"__module__": "yt8m.models.layers.some_layer"}
  ours = type("RegisteredForATest", (base.Layer,), dict(namespace))
  assert keras.utils.get_registered_name(ours) == "yt8m>RegisteredForATest"
  assert keras.utils.get_registered_object("yt8m>RegisteredForATest") is ours
  assert keras.utils.get_registered_name(Scale) == "Scale"
  assert keras.utils.get_registered_object("yt8m>Scale") is None
