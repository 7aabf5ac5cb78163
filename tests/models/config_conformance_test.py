# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The configuration of every layer, option and loss keeps every constructor parameter."""

import importlib
import inspect
import json
import pkgutil

import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.core import registry
from yt8m.models import losses

keras = tf.keras


class Own(keras.Model):
  """A model of the user's own."""

  def __init__(self, units=2, **kwargs):
    super().__init__(**kwargs)
    self.units = units


@pytest.fixture(autouse=True, scope="module")
def allow_this_module():
  with registry.allow_code([__name__]):
    yield


# Values of the parameters without a default, by name.
REQUIRED = {
    "aggregation": "mean", "classifier": "logistic", "clusters": 3,
    "feature_names": ["a"],
    "feature_spec": descriptors.SPECS["frame"].to_config(), "filters": 4,
    "fusion": {"name": "sum", "units": 3}, "hidden": 4, "kernel_units": 4,
    "loss": keras.losses.serialize(losses.HingeLoss(margin=2.0)), "names": ["a"],
    "mlp_ratio": 2, "model": {"name": f"{__name__}:Own", "units": 4}, "num_branches": 2,
    "num_classes": 6, "num_features": 5,
    "num_frames": 5, "num_heads": 2, "num_labels": 7, "num_segments": 3, "num_sets": 4,
    "units": 4, "width": 3, "dropout": 0.1,
    "branch": {"num_classes": 6, "feature_names": ["a"], "fusion": "concat",
               "aggregation": "mean", "classifier": "logistic"},
}
# Values that differ from defaults that do not determine such a value, by parameter name.
OTHER = {"activation": "tanh", "aggregation": {"a": {"units": 3}},
         "calibration": {"num_sets": 4, "num_labels": 7},
         "classifier": {"a": {"l2_penalty": 1e-3}}, "fusion": {"name": "sum", "units": 3},
         "gating": "squeeze", "head": {"name": "moe", "num_mixtures": 3},
         "mixture": {"branches": 2}, "model": REQUIRED["model"], "name": "renamed",
         "normalization": "rms", "ranges": {"rgb": [0.0, 6.5]},
         "recurrent_activation": "tanh", "sampling": {"num_frames": 3}}
# Further arguments without which a value is refused, where the class takes them.
NEEDED = {"remove_diagonal": {"gating": "context", "context_gating": True}}


def every_class():
  """Returns the public classes of the package, by name, except those others extend."""
  modules = [importlib.import_module(module.name) for module in
             pkgutil.walk_packages(models.__path__, "yt8m.models.")]
  kinds = (keras.layers.Layer, keras.losses.Loss)
  classes = {entry for module in modules for entry in vars(module).values()
             if isinstance(entry, type) and issubclass(entry, kinds)
             and entry.__module__.startswith("yt8m.models.")}
  extended = {parent for entry in classes for parent in entry.__mro__[1:]}
  return {entry.__name__: entry for entry in classes - extended
          if not entry.__name__.startswith("_")}


def parameters(cls):
  """Returns the parameters of a constructor, unless it is that of Keras."""
  if not cls.__init__.__module__.startswith("yt8m."):
    return []
  return [p for p in inspect.signature(cls.__init__).parameters.values()
          if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def other_value(cls, parameter):
  """Returns a valid value of a parameter that is not its default."""
  name, default = parameter.name, parameter.default
  if default is parameter.empty:
    return REQUIRED[name]
  if isinstance(default, bool):
    return not default
  if isinstance(default, (int, float)):
    return default * 2 or 2
  for constant, valid in vars(inspect.getmodule(cls)).items():
    if constant.isupper() and isinstance(valid, (tuple, dict)) and default in valid:
      return next(value for value in valid if value != default)
  return OTHER[name]


CLASSES = every_class()


def test_there_are_classes_of_all_kinds():
  assert {"VideoModel", "Branch", "Mixture", "Conditional", "NetVlad", "Sum", "BatchNorm",
          "FrameSampling", "CrossEntropyLoss"} <= set(CLASSES)


@pytest.mark.parametrize("cls, parameter", [
    pytest.param(cls, parameter, id=f"{name}-{parameter.name}")
    for name, cls in sorted(CLASSES.items()) for parameter in parameters(cls)])
def test_config_keeps_a_value_that_is_not_the_default(cls, parameter):
  value = other_value(cls, parameter)
  arguments = {p.name: REQUIRED[p.name] for p in parameters(cls) if p.default is p.empty}
  accepted = {p.name for p in parameters(cls)}
  arguments |= {name: needed for name, needed in NEEDED.get(parameter.name, {}).items()
                if name in accepted}
  if cls is models.VideoModel:
    arguments["aggregation"] = None if parameter.name == "model" else "mean"
    value = {"aggregation": {"name": "lstm", "units": 3},
             "classifier": {"name": "moe", "num_mixtures": 3}}.get(parameter.name, value)
  instance = cls(**{**arguments, parameter.name: value})
  config = json.loads(json.dumps(instance.get_config()))
  assert cls.from_config(config).get_config() == instance.get_config()
  stored = config[parameter.name]
  if isinstance(value, dict) and "name" in value:  # The config of an option is complete.
    stored = {key: stored[key] for key in value}
  assert stored == value
