# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--hparams` and `--set`: hyperparameters of a model, its loss and its optimizer.

`with_settings` turns both into one text of the form of `--hparams`, and everything else
knows that text only. In training, it also has the hyperparameters of the loss and of the
optimizer, which `split` takes out.

After training, only those may change that an option declares as `inference_hparams`:
they change neither a weight nor what the weights were trained for, like the number of
steps of an iterative head.
"""

import inspect
import json
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from yt8m import models
from yt8m.core import fields
from yt8m.core import registry
from yt8m.core.types import Config
from yt8m.core.types import OptionConfig
from yt8m.models import losses
from yt8m.models import registries

# The options of a model, in the order in which a video goes through them.
OPTIONS = {"fusion": registries.FUSIONS, "aggregation": registries.AGGREGATIONS,
           "classifier": registries.CLASSIFIERS}
_PARTS = (*OPTIONS, "sampling", "mixture", "model")
# What only training has, each with a flag of the same name.
TRAINING = ("label_loss", "optimizer")
_DEFAULTS = {name: parameter.default for name, parameter in
             inspect.signature(models.VideoModel).parameters.items() if name in OPTIONS}


def with_settings(text: str | None, settings: Iterable[str]) -> str | None:
  """Returns the value of `--hparams` with the values of `--set` laid over it.

  >>> from yt8m.configs import hparams
  >>> hparams.with_settings(
  ...     '{"classifier": {"head": "moe"}}', ["classifier.head.num_mixtures=4"])
  '{"classifier": {"head": {"name": "moe", "num_mixtures": 4}}}'

  Args:
    text: Value of `--hparams`, or None.
    settings: Values of `--set`, `path=value`. The value is JSON, or else text.

  Raises:
    ValueError: The text is no JSON object, or a setting has no value or another form.
  """
  found = list(map(_parse_setting, settings))
  if not found:
    return text
  changes = _parse(text) if text else {}
  # Options before their hyperparameters, and equal settings in one order.
  for path, value in sorted(found, key=lambda setting: (len(setting[0]), setting[0])):
    part = path[0]
    for name in reversed(path[1:]):
      value = {name: value}
    if part == "normalization":
      changes[part] = value
    elif isinstance(changes.get(part, {}), dict):  # otherwise an error of `change`
      changes[part] = merge(changes.get(part), value)
  return json.dumps(changes)


def _parse_setting(setting: str) -> tuple[list[str], Any]:
  """Returns the path and the value of `--set path=value`."""
  name, equals, text = setting.partition("=")
  path = name.split(".")
  form = "Write it as --set aggregation.units=512."
  valid = (*_PARTS, "normalization", *TRAINING)
  if path[0] not in valid:
    raise registry.unknown(
        "part of a model", path[0], valid,
        f"--set={fields.short(setting)} must begin with one. {form}")
  if not equals:
    raise ValueError(f"--set={fields.short(setting)} has no value. {form}")
  if len(path) == 1 and path[0] in (*OPTIONS, *TRAINING, "model"):
    raise ValueError(f"--set={fields.short(setting)} names no hyperparameter. {form} "
                     f"To choose the {path[0]}, write --{path[0]}={text}.")
  if not all(path) or (len(path) == 1) != (path[0] == "normalization"):
    raise ValueError(f"--set={fields.short(setting)} is no hyperparameter. {form}")
  try:
    value = json.loads(text, parse_constant=_refuse)
    if fields.not_finite(value) is not None:
      raise ValueError(f"--set={fields.short(setting)} has a number that is too large: "
                       "give finite ones.")
    return path, value
  except (json.JSONDecodeError, RecursionError):
    return path, text


def _refuse(constant: str) -> None:
  raise json.JSONDecodeError(f"{constant} is not JSON", constant, 0)


def _parse(text: str) -> Config:
  """Returns the object that is the value of `--hparams`."""
  form = "Write it as --hparams='{\"aggregation\": {\"units\": 512}}'."
  try:
    changes = json.loads(text)
  except (ValueError, RecursionError) as error:
    raise ValueError(f"--hparams={fields.short(text)} is not JSON "
                     f"({fields.reason(error)}). {form}") from error
  if not isinstance(changes, dict):
    raise ValueError(f"--hparams={fields.short(text)} is not a JSON object. {form}")
  try:
    number = fields.not_finite(changes)
  except RecursionError:
    number = None  # of an error of `change`
  if number is not None:
    raise ValueError(f"--hparams={fields.short(text)} has the number {number}: give "
                     "finite ones.")
  return changes


def split(text: str | None) -> tuple[str | None, dict[str, Config]]:
  """Returns the value of `--hparams` for the model, and the hyperparameters of training.

  >>> from yt8m.configs import hparams
  >>> hparams.split('{"fusion": {"units": 5}, "optimizer": {"beta_1": 0.8}}')
  ('{"fusion": {"units": 5}}', {'label_loss': {}, 'optimizer': {'beta_1': 0.8}})

  Args:
    text: Value of the flag, or None.

  Raises:
    ValueError: The text is no JSON object, or what it has for one of them is none.
  """
  parts = _parse(text) if text else {}
  of_training = {}
  for name in TRAINING:
    values = parts.pop(name, {})
    if not isinstance(values, dict):
      raise ValueError(f"--hparams has {name}: {fields.short(values)}, but needs its "
                       f"hyperparameters: {{{json.dumps(name)}: {{…}}}}. To choose one, "
                       f"write --{name}.")
    of_training[name] = values
  if any(of_training.values()):
    text = json.dumps(parts) if parts else None
  return text, of_training


def label_loss(flags: Config) -> tuple[str, Config]:
  """Returns name and hyperparameters of the loss of a training, from its flags."""
  _, of_training = split(flags.get("hparams"))
  return flags.get("label_loss", losses.DEFAULT), of_training["label_loss"]


def change(options: Config, text: str | None) -> Config:
  """Returns arguments of a `VideoModel` with the values of `--hparams`.

  Args:
    options: Arguments of a `VideoModel`.
    text: Value of the flag; None or an empty text changes nothing.

  Raises:
    ValueError: The text is not JSON, or names a part that models, or this model, do not
      have.
  """
  if not text:
    return options
  options = dict(options)
  for part, values in _parse(text).items():
    if part == "normalization":
      options[part] = values
    elif part in _PARTS and isinstance(values, dict):
      option = options.get(part, _DEFAULTS.get(part))
      if part == "model" and not option:
        raise ValueError(
            f"--hparams or --set has model.{next(iter(values), '')}, but --model names a "
            "recipe: only a class of your own has hyperparameters of its own.")
      if part in OPTIONS and not option and "name" not in values:
        raise ValueError(
            f"--hparams or --set has {part}.{next(iter(values), '')}, but the model has "
            f"no {part}, which --{part} of yt8m-train chooses.")
      options[part] = merge(option, values, OPTIONS.get(part))
    elif part in TRAINING:
      raise ValueError(f"--hparams or --set has {part}.{next(iter(values), '')}: only "
                       f"yt8m-train takes hyperparameters of the {part}.")
    else:
      raise ValueError(
          f"--hparams has {fields.short(part)}: {fields.short(values)}; valid "
          f"are dictionaries under {', '.join(_PARTS)}, of yt8m-train also under "
          f"{' and '.join(TRAINING)}, and 'normalization'.")
  return options


def merge(option: OptionConfig | None, changes: Config,
          options: registry.Registry | None = None) -> Config:
  """Returns the config of an option, `{"name": …, **hparams}`, with some values changed.

  An option within it, such as the head of a classifier, is merged in the same way. A
  change of the name is another option: nothing is left of the config.

  >>> from yt8m.configs import hparams
  >>> hparams.merge({"name": "hidden", "head": "moe"}, {"head": {"num_mixtures": 5}})
  {'name': 'hidden', 'head': {'name': 'moe', 'num_mixtures': 5}}

  Args:
    option: The config, or the name of an option.
    changes: Hyperparameters and their new values.
    options: Registry of the option. With it, an option within that the config leaves out
      is the default one.
  """
  config = registries.normalise_config(option) if option else {}
  if changes.get("name", config.get("name")) != config.get("name"):
    return dict(changes)
  merged = dict(config)
  for name, value in changes.items():
    before = config.get(name)
    if isinstance(value, dict) and name not in config and options and "name" in config:
      before = registries.hparam_defaults(options[config["name"]]).get(name)
    merged[name] = (merge(before, value, options) if isinstance(value, dict)
                    and isinstance(before, (dict, str)) else value)
  return merged


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
