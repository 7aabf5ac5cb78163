# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The three registries of model options, and how an option is built from its config."""

import inspect
import numbers
import types
import typing
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from yt8m.core import fields
from yt8m.core import registry
from yt8m.core import types as aliases
from yt8m.models.layers import base

keras = tf.keras

FUSIONS = registry.Registry("fusion", keras.layers.Layer)
AGGREGATIONS = registry.Registry("aggregation", keras.layers.Layer)
CLASSIFIERS = registry.Registry("classifier", keras.layers.Layer)


def normalise_config(config: aliases.OptionConfig) -> dict[str, Any]:
  """Returns `{"name": …, **hparams}` for a name or for such a dictionary."""
  return {"name": config} if isinstance(config, str) else base.plain(config)


def build_option(options: registry.Registry, config: aliases.OptionConfig,
                 **arguments: Any) -> Any:
  """Builds the layer that `config` names.

  Args:
    options: Registry of the option.
    config: Name of the option, or `{"name": …, **hparams}`.
    **arguments: Arguments that the model provides, such as `num_classes`, to those
      constructors that take them.

  Raises:
    ValueError: The name is unknown, the option lacks a hyperparameter, or a value has
      another type.
  """
  config = resolve(options, config)
  taken = base.constructor_parameters(options[config["name"]])
  hparams = {key: value for key, value in config.items() if key != "name"}
  # A plain Keras layer need not take what the model provides.
  option = options[config["name"]](**hparams, **{
      name: value for name, value in arguments.items() if name in taken})
  option.option_config = config  # The config of an enclosing layer holds it.
  return option


def resolve(options: registry.Registry, config: aliases.OptionConfig) -> dict[str, Any]:
  """Returns `{"name": …, **hparams}` with all hyperparameters, including the defaults.

  The configuration of a model holds this result, so that a later change of a default
  does not change the model. Errors: see `build_option`.
  """
  hparams = normalise_config(config) if isinstance(config, (str, dict)) else {}
  name = hparams.pop("name", None)
  if not isinstance(name, str):
    raise ValueError(f"The {options.kind} config {fields.short(config)} has no name: "
                     'write {"name": …, …}.')
  check_hparams(f"{options.kind} {name!r}", options[name], hparams,
                _required(options[name]))
  return {"name": name, **hparam_defaults(options[name]), **hparams}


def check_hparams(owner: str, option: type, hparams: dict[str, Any],
                  required: tuple[str, ...] = ()) -> None:
  """Checks hyperparameters against the constructor of an option.

  A value must have the type of the annotation, or without one, that of the default.

  Args:
    owner: Name of the option, for errors.
    option: Class of the option.
    hparams: Hyperparameters and their values.
    required: Names of hyperparameters that have no default.

  Raises:
    ValueError: See `check_values`.
  """
  parameters = base.constructor_parameters(option)
  check_values(owner, {name: parameters[name].replace(default=inspect.Parameter.empty)
                       if name in required else parameters[name]
                       for name in {*hparam_defaults(option), *required}}, hparams)


def check_values(owner: str, parameters: Mapping[str, inspect.Parameter],
                 hparams: Mapping[str, Any]) -> None:
  """Checks hyperparameters against the parameters that take them.

  Args:
    owner: Name of what has the parameters, for errors.
    parameters: The parameters by name. Those without a default are required.
    hparams: Hyperparameters and their values.

  Raises:
    ValueError: A name is unknown or missing, or a value has another type, such as a
      string in place of a number, or describes an object of Keras.
  """
  if unknown := sorted(set(hparams) - set(parameters)):
    raise ValueError(
        f"{owner} has no hyperparameter {', '.join(unknown)}. "
        f"Valid: {', '.join(sorted(parameters)) or 'none'} (--hparams, --set).")
  if missing := sorted(name for name, p in parameters.items()
                       if p.default is p.empty and name not in hparams):
    raise ValueError(f"{owner} needs {', '.join(missing)} (--hparams, --set).")
  for name, value in hparams.items():
    if _describes_object(value):
      raise ValueError(
          f"{owner}: {name} has a 'class_name', with which Keras builds any object. A "
          "configuration names registered options only: write {\"name\": …}.")
    annotation = parameters[name].annotation
    if annotation is inspect.Parameter.empty:
      default = parameters[name].default
      # The default name of an option stands for its config as well.
      annotation = (str | dict if isinstance(default, str)
                    else Any if default in (None, inspect.Parameter.empty)
                    else type(default))
    if not _has_type(value, annotation):
      expected = getattr(annotation, "__name__", str(annotation))
      raise ValueError(f"{owner}: {name} is {fields.short(value)}, but must be of "
                       f"type {expected} (--hparams, --set).")


def _has_type(value: Any, annotation: Any) -> bool:
  is_union = typing.get_origin(annotation) in (types.UnionType, typing.Union)
  kinds = [typing.get_origin(kind) or kind
           for kind in (typing.get_args(annotation) if is_union else (annotation,))]
  if any(kind is Any or not isinstance(kind, type) for kind in kinds):
    return True  # Not a plain type.
  if isinstance(value, bool):
    return bool in kinds
  wider = {int: numbers.Integral, float: numbers.Real, tuple: list}
  return isinstance(value, (*kinds, *(wider[kind] for kind in kinds if kind in wider)))


def _describes_object(value: Any) -> bool:
  """Whether Keras would build an object, of a class in any module, from a value.

  No layer of ours lets it, but a user's layer may pass the value on, as an initializer.
  """
  if isinstance(value, dict):
    return "class_name" in value or any(map(_describes_object, value.values()))
  return isinstance(value, (list, tuple)) and any(map(_describes_object, value))


def is_option(options: registry.Registry, value: Any) -> bool:
  """Returns whether a hyperparameter is itself an option, such as the head of a head."""
  name = value.get("name") if isinstance(value, dict) else value
  return isinstance(name, str) and (name in options or ":" in name)


def hparam_defaults(option: Any) -> dict[str, Any]:
  """Returns the hyperparameters of an option with the defaults of its constructors.

  A class of the user may set a parameter of the class that it extends. Only the
  parameters of its own constructor are therefore its hyperparameters.
  """
  parameters = base.constructor_parameters(option)
  if not option.__module__.startswith("yt8m."):
    parameters = _own_parameters(option)
  return {name: p.default for name, p in parameters.items()
          if p.default is not inspect.Parameter.empty}


def hyperparameters(option: Any) -> dict[str, inspect.Parameter]:
  """Returns the parameters of a constructor that are hyperparameters, by name."""
  parameters = base.constructor_parameters(option)
  return {name: parameters[name]
          for name in (*hparam_defaults(option), *_required(option))}


def _required(option: Any) -> tuple[str, ...]:
  """Returns the hyperparameters without a default, which only a user's class has."""
  if option.__module__.startswith("yt8m."):
    return ()
  return tuple(name for name, p in _own_parameters(option).items()
               if p.default is p.empty)


def _own_parameters(option: Any) -> dict[str, inspect.Parameter]:
  """Returns the parameters of a user's class that no model and no Keras provides."""
  own = inspect.signature(option.__init__).parameters
  return {name: p for name, p in base.constructor_parameters(option).items()
          if name in own and name not in (
              "num_classes", "feature_spec", "name", "dtype", "trainable")}


def check_fusion(fusion: Any, num_modalities: int, frames: bool) -> None:
  """Checks that a fusion fits its input, if it has a method `check_input` that says so.

  Args:
    fusion: Layer of the fusion.
    num_modalities: Number of modalities.
    frames: Whether it fuses frames, not vectors.

  Raises:
    ValueError: It cannot fuse them; the message says why.
  """
  if check := getattr(fusion, "check_input", None):
    check(num_modalities, frames)


def call_on_frames(layer: Any, x: Any, frame_mask: tf.Tensor | None,
                   **arguments: Any) -> Any:
  """Calls a fusion or an aggregation with the mask of frames, if it takes one.

  A plain Keras layer may call it `mask`, or take none: it sees padded frames, as zeros.

  Args:
    layer: The fusion or aggregation.
    x: Its input, a tensor or a list of tensors.
    frame_mask: (batch_size, num_frames), bool; None for video-level features.
    **arguments: Further arguments of the call.
  """
  if isinstance(layer, base.Layer):
    return layer(x, frame_mask=frame_mask, **arguments)
  parameters = inspect.signature(layer.call).parameters
  for name in ("frame_mask", "mask"):
    if name in parameters:
      return layer(x, **{name: frame_mask}, **arguments)
  if frame_mask is not None:
    x = tf.nest.map_structure(lambda frames: tf.where(
        frame_mask[:, :, tf.newaxis], frames, tf.zeros_like(frames)), x)
  return layer(x, **arguments)


def split_intermediates(result: Any) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
  """Returns the tensor and the intermediates of an option, which may return no others."""
  return result if isinstance(result, tuple) else (result, {})
