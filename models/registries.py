# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The three registries of model options, and how an option is built from its config."""

import inspect
import numbers
import types
import typing
from typing import Any

import tensorflow as tf

from yt8m.core import registry

keras = tf.keras

FUSIONS = registry.Registry("fusion", keras.layers.Layer)
AGGREGATIONS = registry.Registry("aggregation", keras.layers.Layer)
CLASSIFIERS = registry.Registry("classifier", keras.layers.Layer)


def normalise_config(config):
  """Returns `{"name": …, **hparams}` for a name or for such a dictionary."""
  return {"name": config} if isinstance(config, str) else dict(config)


def build_option(options, config, **arguments):
  """Builds the layer that `config` names.

  Args:
    options: one of the registries.
    config: a name, or a dictionary `{"name": …, **hparams}`.
    **arguments: what the model knows, e.g. `num_classes`.

  Raises:
    ValueError: unknown name, or a hyperparameter the option does not have.
  """
  config = resolve(options, config)
  hparams = {key: value for key, value in config.items() if key != "name"}
  option = options[config["name"]](**hparams, **arguments)
  option.option_config = config  # what the config of an enclosing layer holds
  return option


def resolve(options, config):
  """Returns `{"name": …, **hparams}` with the default of every hyperparameter left out.

  Written into a model's configuration, it keeps the model what it is should a default
  ever change. Errors: see `build_option`.
  """
  given = normalise_config(config)
  name = given.pop("name", None)
  if name is None:
    raise ValueError(f"The {options.kind} config {config!r} has no name.")
  check_hparams(f"{options.kind} {name!r}", options[name], given)
  return {"name": name, **_hparam_defaults(options[name]), **given}


def check_hparams(owner: str, option: type, given: dict[str, Any],
                  required: tuple[str, ...] = ()) -> None:
  """Checks hyperparameters against the constructor of an option.

  A value must have the type of the annotation, or else that of the default.

  Args:
    owner: Name of the option, for errors.
    option: Class of the option.
    given: Hyperparameters and their values.
    required: Names of hyperparameters that have no default.

  Raises:
    ValueError: A name is unknown or missing, or a value has another type, such as a
      string in place of a number.
  """
  valid = sorted({*_hparam_defaults(option), *required})
  if unknown := sorted(set(given) - set(valid)):
    raise ValueError(
        f"{owner} has no hyperparameter {', '.join(unknown)}. "
        f"Valid: {', '.join(valid) or 'none'} (--hparams).")
  if missing := sorted(set(required) - set(given)):
    raise ValueError(f"{owner} needs {', '.join(missing)} (--hparams).")
  parameters = inspect.signature(option.__init__).parameters
  for name, value in given.items():
    annotation = parameters[name].annotation
    if annotation is inspect.Parameter.empty:
      default = parameters[name].default
      # The default name of an option stands for its config as well.
      annotation = (str | dict if isinstance(default, str)
                    else Any if default in (None, inspect.Parameter.empty)
                    else type(default))
    if not _has_type(value, annotation):
      expected = getattr(annotation, "__name__", str(annotation))
      raise ValueError(f"{owner}: {name} is {value!r}, but must be of type {expected} "
                       "(--hparams).")


def _has_type(value: Any, annotation: Any) -> bool:
  is_union = typing.get_origin(annotation) in (types.UnionType, typing.Union)
  kinds = [typing.get_origin(kind) or kind
           for kind in (typing.get_args(annotation) if is_union else (annotation,))]
  if any(kind is Any or not isinstance(kind, type) for kind in kinds):
    return True  # not a plain type
  if isinstance(value, bool):
    return bool in kinds
  wider = {int: numbers.Integral, float: numbers.Real, tuple: list}
  return isinstance(value, (*kinds, *(wider[kind] for kind in kinds if kind in wider)))


def is_option(options, value):
  """Whether a hyperparameter is itself an option, such as a head within a head."""
  name = value.get("name") if isinstance(value, dict) else value
  return isinstance(name, str) and (name in options or ":" in name)


def _hparam_defaults(option):
  """Hyperparameters of an option and their defaults, read off its constructor."""
  if option.__init__ is keras.layers.Layer.__init__:
    return {}  # what Keras takes (trainable, dtype, …) is not the option's
  parameters = inspect.signature(option.__init__).parameters.values()
  return {p.name: p.default for p in parameters
          if p.default is not inspect.Parameter.empty}


def split_intermediates(result):
  """Splits what an option returns: a tensor, or `(tensor, {name: intermediate})`."""
  return result if isinstance(result, tuple) else (result, {})
