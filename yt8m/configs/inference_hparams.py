# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Hyperparameters of a trained model that may be chosen without training it again.

An option declares them as `inference_hparams`: those that change neither a weight nor
what the weights were trained for, such as the number of steps of an iterative head.
"""

from yt8m.configs import model_flags
from yt8m.models import registries


def change(model, text):
  """Lays `--hparams` over the config of a trained `VideoModel`.

  Args:
    model: the config.
    text: value of the flag; None changes nothing.

  Returns:
    A new config.

  Raises:
    ValueError: not JSON, unknown names, or a change that needs training.
  """
  if not text:
    return model
  changed = model_flags.with_hparams(model, text)
  before, after = _values(model), _values(changed)
  different = [path for path in {**after, **before}
               if before.get(path) != after.get(path)]
  valid = changeable(model)
  for path in different:
    if path not in valid:
      raise ValueError(
          f"--hparams: {path} was {before.get(path)!r} in training and cannot become "
          f"{after.get(path)!r} without training again. Of this model can change: "
          f"{', '.join(valid) or 'nothing'}.")
  return changed


def changeable(model):
  """Paths of what may change, e.g. `["classifier.head.num_steps"]`."""
  return [path for part, options in model_flags.OPTIONS.items() if model.get(part)
          for path in _changeable(options, model[part], part)]


def _changeable(options, config, path):
  config = registries.resolve(options, config)
  option = options[config.pop("name")]
  found = [f"{path}.{name}" for name in getattr(option, "inference_hparams", ())]
  for name, value in config.items():
    if registries.is_option(options, value):
      found += _changeable(options, value, f"{path}.{name}")
  return found


def _values(model):
  """`{path: value}` of every hyperparameter, defaults included."""
  values = {}
  for part, config in model.items():
    _collect(model_flags.OPTIONS.get(part), config, part, values)
  return values


def _collect(options, value, path, values):
  if options is not None and registries.is_option(options, value):
    value = registries.resolve(options, value)
  if not isinstance(value, dict):
    values[path] = value
    return
  for name, inner in value.items():
    # The name of an option is not an option again.
    _collect(None if name == "name" else options, inner, f"{path}.{name}", values)
