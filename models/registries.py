# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The three registries of model options, and how an option is built from its config."""

import inspect

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
  defaults = _hparam_defaults(options[name])
  unknown = sorted(set(given) - set(defaults))
  if unknown:
    raise ValueError(
        f"{options.kind} {name!r} has no hyperparameter {', '.join(unknown)}. "
        f"Valid: {', '.join(sorted(defaults)) or 'none'} (--hparams).")
  return {"name": name, **defaults, **given}


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
