# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--hparams`: hyperparameters of the options of a model, before and after training.

After training, only those may change that an option declares as `inference_hparams`:
they change neither a weight nor what the weights were trained for, like the number of
steps of an iterative head.
"""

import json
from collections.abc import Iterator
from typing import Any

from yt8m.core import fields
from yt8m.core import registry
from yt8m.core.types import Config
from yt8m.core.types import OptionConfig
from yt8m.models import registries

# The options of a model, in the order in which a video goes through them.
OPTIONS = {"fusion": registries.FUSIONS, "aggregation": registries.AGGREGATIONS,
           "classifier": registries.CLASSIFIERS}
_PARTS = (*OPTIONS, "sampling", "mixture")


def change(options: Config, text: str | None) -> Config:
  """Returns arguments of a `VideoModel` with the values of `--hparams`.

  Args:
    options: Arguments of a `VideoModel`.
    text: Value of the flag; None or an empty text changes nothing.

  Raises:
    ValueError: The text is not JSON, or names a part that models do not have.
  """
  if not text:
    return options
  form = "Write it as --hparams='{\"aggregation\": {\"units\": 512}}'."
  try:
    changes = json.loads(text)
  except (ValueError, RecursionError) as error:
    raise ValueError(f"--hparams={fields.short(text)} is not JSON "
                     f"({fields.reason(error)}). {form}") from error
  if not isinstance(changes, dict):
    raise ValueError(f"--hparams={fields.short(text)} is not a JSON object. {form}")
  options = dict(options)
  for part, values in changes.items():
    if part == "normalization":
      options[part] = values
    elif part in _PARTS and isinstance(values, dict):
      options[part] = merge(options.get(part), values)
    else:
      raise ValueError(
          f"--hparams has {fields.short(part)}: {fields.short(values)}; valid "
          f"are dictionaries under {', '.join(_PARTS)}, and 'normalization'.")
  return options


def merge(option: OptionConfig | None, changes: Config) -> Config:
  """Returns the config of an option, `{"name": …, **hparams}`, with some values changed.

  An option within it, such as the head of a classifier, is merged in the same way. A
  change of the name is another option: nothing is left of the config.

  >>> from yt8m.configs import hparams
  >>> hparams.merge({"name": "hidden", "head": "moe"}, {"head": {"num_mixtures": 5}})
  {'name': 'hidden', 'head': {'name': 'moe', 'num_mixtures': 5}}
  """
  config = registries.normalise_config(option) if option else {}
  if changes.get("name", config.get("name")) != config.get("name"):
    return dict(changes)
  return {**config, **{
      name: merge(config[name], value)
      if isinstance(value, dict) and isinstance(config.get(name), (dict, str)) else value
      for name, value in changes.items()}}


def change_trained(model: Config, text: str | None) -> Config:
  """Returns the config of a trained `VideoModel` with the values of `--hparams`.

  Args:
    model: Config of the model.
    text: Value of the flag; None or an empty text changes nothing.

  Raises:
    ValueError: Not JSON, unknown names, or a change that needs training.
  """
  if not text:
    return model
  changed = change(model, text)
  before = values(model)
  try:
    after = values(changed)
  except fields.UNFIT as error:
    raise ValueError(f"--hparams={fields.short(text)}: {fields.reason(error)}."
                     ) from error
  valid = changeable(model)
  for path in {**after, **before}:
    if before.get(path) != after.get(path) and path not in valid:
      shown = path if path.isprintable() else repr(path)
      raise ValueError(
          f"--hparams: {shown:.80} was {fields.short(before.get(path))} in "
          f"training and cannot become {fields.short(after.get(path))} without training "
          f"again. This model lets you change: {', '.join(valid) or 'nothing'}.")
  return changed


def values(model: Config) -> Config:
  """Returns all hyperparameters of a model by path, with the defaults of left-out ones.

  >>> from yt8m.configs import hparams
  >>> hparams.values({"num_classes": 5, "classifier": {"name": "logistic"}})
  {'num_classes': 5, 'classifier.name': 'logistic', 'classifier.l2_penalty': 1e-08}
  """
  return {path: value for path, value, _ in _flatten(model)}


def changeable(model: Config) -> list[str]:
  """Returns the paths of what may change, e.g. `["classifier.head.num_steps"]`."""
  return [path for path, _, may_change in _flatten(model) if may_change]


def _flatten(model: Config) -> Iterator[tuple[str, Any, bool]]:
  """Yields every hyperparameter of a model, defaults included.

  Yields:
    Its path, its value, and whether it may change without training.
  """
  for part, config in model.items():
    yield from _flatten_option(OPTIONS.get(part), config, part, False)


def _flatten_option(options: registry.Registry | None, value: Any, path: str,
                    may_change: bool) -> Iterator[tuple[str, Any, bool]]:
  declared = ()
  if options is not None and registries.is_option(options, value):
    value = registries.resolve(options, value)
    declared = getattr(options[value["name"]], "inference_hparams", ())
  if not isinstance(value, dict):
    yield path, value, may_change
    return
  for name, inner in value.items():
    # The name of an option is not an option again.
    yield from _flatten_option(None if name == "name" else options, inner,
                               f"{path}.{name}", may_change or name in declared)
