# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The three registries of model options, and how an option is built from its config."""

import inspect

from yt8m import registry

FUSIONS = registry.Registry("fusion")
AGGREGATIONS = registry.Registry("aggregation")
CLASSIFIERS = registry.Registry("classifier")


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
  hparams = normalise_config(config)
  name = hparams.pop("name", None)
  if name is None:
    raise ValueError(f"The {options.kind} config {config!r} has no name.")
  option = options[name]
  known = hparam_defaults(option)
  unknown = sorted(set(hparams) - set(known))
  if unknown:
    raise ValueError(
        f"{options.kind} {name!r} has no hyperparameter {', '.join(unknown)}. "
        f"Valid: {', '.join(sorted(known)) or 'none'} (--hparams).")
  return option(**hparams, **arguments)


def hparam_defaults(option):
  """Hyperparameters of an option and their defaults, read off its constructor."""
  parameters = inspect.signature(option.__init__).parameters.values()
  return {p.name: p.default for p in parameters
          if p.default is not inspect.Parameter.empty}


def split_intermediates(result):
  """Splits what an option returns: a tensor, or `(tensor, {name: intermediate})`."""
  return result if isinstance(result, tuple) else (result, {})
