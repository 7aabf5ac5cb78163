# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The base of every layer, option and loss of this package.

A class states its hyperparameters once, in its constructor. Its configuration, its
registration with Keras and the flag `built` follow from there.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any
from typing import TypeVar

import tensorflow as tf

keras = tf.keras

_PACKAGE = "yt8m"

_L = TypeVar("_L", bound=keras.layers.Layer)


class Configured:
  """Mixin that derives the configuration of a Keras object from its constructor.

  Every parameter of the constructor must be stored in an attribute of the same name.
  A constructor that takes `**kwargs` passes them to the next class in line, so the
  parameters of that class belong to the configuration as well. Keras adds its own
  (name, dtype, …).

  A subclass in this package is registered with Keras as `yt8m>ClassName`, so that saved
  models can be loaded. A subclass elsewhere is not: Keras finds it by its module, or
  under the name that its author registers.
  """

  build: Callable[..., None]

  def __init_subclass__(cls, **kwargs: Any):
    super().__init_subclass__(**kwargs)
    if "build" in vars(cls):
      cls.build = _then_built(cls.build)
    if cls.__module__.partition(".")[0] == _PACKAGE:
      keras.utils.register_keras_serializable(package=_PACKAGE)(cls)

  def get_config(self) -> dict[str, Any]:
    """Returns the arguments that make an equal object, in plain Python types.

    Raises:
      AttributeError: The constructor does not store one of its parameters.
    """
    keras_object: Any = super()
    return {**keras_object.get_config(),
            **{name: plain(getattr(self, name))
               for name in constructor_parameters(type(self))}}


class Layer(Configured, keras.layers.Layer):
  """Base of the layers.

  >>> from yt8m.models.layers import base
  >>> class Scale(base.Layer):
  ...   def __init__(self, factor=2.0, **kwargs):
  ...     super().__init__(**kwargs)
  ...     self.factor = factor
  ...   def call(self, x):
  ...     return self.factor * x
  >>> Scale.from_config(Scale(factor=3.0).get_config()).factor
  3.0
  """

  # Not every layer takes one tensor and returns one, as the types of TensorFlow say.
  __call__: Callable[..., Any]


def built(layer: _L, *shape: int | None) -> _L:
  """Builds a layer for inputs of a shape and returns it.

  >>> import tensorflow as tf
  >>> from yt8m.models.layers import base
  >>> dense = base.built(tf.keras.layers.Dense(3), None, 2)
  >>> [weight.shape for weight in dense.get_weights()]
  [(2, 3), (3,)]
  """
  layer.build(shape)
  return layer


def constructor_parameters(cls: type) -> dict[str, inspect.Parameter]:
  """Returns the parameters of a constructor by name, without those of Keras.

  >>> from yt8m.models.layers import base
  >>> list(base.constructor_parameters(base.Layer))
  []
  """
  parameters = {}
  for base in cls.__mro__:
    if base.__module__.partition(".")[0] in ("keras", "tf_keras"):
      break
    if "__init__" not in vars(base):
      continue
    own = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
    for parameter in own:
      if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        parameters.setdefault(parameter.name, parameter)
    if not own or own[-1].kind != inspect.Parameter.VAR_KEYWORD:
      break
  return parameters


def _then_built(build: Callable) -> Callable:
  """Wraps `build` to set `built`, which Keras 2 does only where it calls `build`."""

  @functools.wraps(build)
  def build_and_set(self, *args, **kwargs):
    build(self, *args, **kwargs)
    self.built = True

  return build_and_set


def plain(value: Any) -> Any:
  """Returns a value in plain types: Keras 2 wraps containers that a layer stores.

  The value of an option is its layer; `registries.build_option` stored its config.
  """
  value = getattr(value, "option_config", value)
  if isinstance(value, dict):
    return {key: plain(entry) for key, entry in value.items()}
  if isinstance(value, (list, tuple)):
    return (tuple if isinstance(value, tuple) else list)(map(plain, value))
  return value
