# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""From model flags to the arguments of a `VideoModel`.

From weakest to strongest: the recipe, the starter code's flags, the flags that name an
option, `--hparams`, `--set`. Defaults stand in the constructors and recipes alone.
"""

import contextlib
import inspect
import re
import sys
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from absl import flags
from absl import logging

from yt8m import models
from yt8m.configs import hparams
from yt8m.configs import recipes
from yt8m.core import command
from yt8m.core import registry
from yt8m.core import vocabulary
from yt8m.core.types import Config
from yt8m.models import registries
from yt8m.models.layers import input_features

# What `define` defines belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()

# Starter flag -> argument of `VideoModel`, option (None: any), and hyperparameter.
STARTER_FLAGS = {
    "iterations": ("sampling", None, "num_frames"),
    "sample_random_frames": ("sampling", None, "method"),
    "dbof_add_batch_norm": ("aggregation", "dbof", "use_batch_norm"),
    "dbof_cluster_size": ("aggregation", "dbof", "clusters"),
    "dbof_hidden_size": ("aggregation", "dbof", "units"),
    "dbof_pooling_method": ("aggregation", "dbof", "pooling"),
    "dbof_activation": ("aggregation", "dbof", "activation"),
    "lstm_cells": ("aggregation", "lstm", "units"),
    "lstm_layers": ("aggregation", "lstm", "num_layers"),
    "moe_num_mixtures": ("classifier", "moe", "num_mixtures"),
}

MODEL_FLAGS = (*hparams.OPTIONS, *STARTER_FLAGS, "hparams", "set", "normalization",
               "video_level_classifier_model")


def define() -> None:
  """Defines the flags that describe a model, for the command that calls this."""
  flags.DEFINE_integer("num_classes", 3862, "Number of classes. Labels are numbers from "
                       "0 to num_classes - 1. Default with --vocabulary: one more than "
                       "its largest index.", lower_bound=1)
  flags.DEFINE_integer("max_frames", 300,
                       "Number of frames that are read from the start of a video.",
                       lower_bound=1)
  flags.DEFINE_string("model", "LogisticModel", f"Recipe: {recipes.listing()}. Or "
                      "your own model or recipe as my_package.my_module:MyModel.")
  flags.DEFINE_alias("recipe", "model")
  for part, options in hparams.OPTIONS.items():
    flags.DEFINE_string(
        part, None, f"{part.capitalize()} to use instead of the recipe's: "
        f"{', '.join(options)}, or your own class as my_package.my_module:MyClass.")
  define_hparams()
  constructor = inspect.signature(models.VideoModel.__init__).parameters
  flags.DEFINE_enum(
      "normalization", None, input_features.NORMALIZATIONS,
      "Normalization of the input vectors. Default: the recipe's, or else "
      f"{constructor['normalization'].default}.")
  flags.DEFINE_string(
      "video_level_classifier_model", None,
      "Recipe whose classifier a frame-level model uses. Default: the model's own.")
  sampling = recipes.RECIPES["DbofModel"].options["sampling"]
  flags.DEFINE_integer(
      "iterations", None, "Number of frames that are sampled from a video. Default: the "
      f"recipe's; DbofModel: {sampling['num_frames']}.", lower_bound=1)
  flags.DEFINE_bool("sample_random_frames", None, "Whether to sample single frames "
                    "instead of a sequence. Default: the recipe's; DbofModel: "
                    f"{sampling['method'] == 'random_frames'}.")
  _define(flags.DEFINE_bool, "dbof_add_batch_norm", "Whether DBoF uses batch norm.")
  _define(flags.DEFINE_integer, "dbof_cluster_size", "Number of clusters of DBoF.")
  _define(flags.DEFINE_integer, "dbof_hidden_size", "Number of output units of DBoF.")
  _define(flags.DEFINE_string, "dbof_pooling_method", "Pooling of DBoF: max or average.")
  _define(flags.DEFINE_string, "dbof_activation",
          "Activation of DBoF: sigmoid, relu6, or another one of Keras.")
  _define(flags.DEFINE_integer, "lstm_cells", "Number of cells of an LSTM layer.")
  _define(flags.DEFINE_integer, "lstm_layers", "Number of LSTM layers.")
  _define(flags.DEFINE_integer, "moe_num_mixtures", "Number of experts of a class.")


def _define(define: Callable, name: str, text: str) -> None:
  """Defines a starter flag; its help shows the default of the constructor."""
  part, option, hparam = STARTER_FLAGS[name]
  default = registries.resolve(hparams.OPTIONS[part], option)[hparam]
  bound = {"lower_bound": 1} if define is flags.DEFINE_integer else {}
  define(name, None, f"{text} Default: the recipe's, or else {default}.", **bound)


def count_classes() -> None:
  """Sets `--num_classes` to the number of classes of `--vocabulary`, if it is not given.

  Raises:
    FileNotFoundError: There is no such vocabulary.
    ValueError: The file is none.
  """
  values = flags.FLAGS
  if values.vocabulary and not values["num_classes"].present:
    values.num_classes = vocabulary.Vocabulary.count(values.vocabulary)
    logging.info("--num_classes=%d, from --vocabulary=%s.", values.num_classes,
                 values.vocabulary)


def define_hparams() -> None:
  """Defines --hparams and --set, for the command that calls this."""
  flags.DEFINE_string(
      "hparams", None, "Hyperparameters of the options, as JSON: "
      "'{\"aggregation\": {\"units\": 512}}'. Of a trained model, only those can be "
      "changed that need no training, e.g. '{\"classifier\": {\"num_steps\": 3}}'.")
  flags.DEFINE_multi_string(
      "set", None, "One hyperparameter as path=value, on top of --hparams: "
      "--set aggregation.clusters=16 --set classifier.head.num_mixtures=4. The value is "
      "JSON, or else text. In training also those of the loss and the optimizer: "
      "--set label_loss.margin=0.1 --set optimizer.beta_1=0.8")


def hparams_given() -> str | None:
  """Returns the value of --hparams with those of --set laid over it.

  A command uses this in place of --hparams, also for what it compares and keeps.

  Raises:
    ValueError: One of them has another form.
  """
  return hparams.with_settings(flags.FLAGS.hparams, flags.FLAGS.set or [])


@contextlib.contextmanager
def named_code_allowed(*other_flags: str) -> Iterator[None]:
  """Allows the classes that the user has typed as `my_package.my_module:MyClass`.

  A name in a flag file allows nothing, nor does one in the value of another flag. What
  is allowed may be named anywhere. With --allow_code nothing else is allowed.

  Args:
    *other_flags: Names of flags that may name classes, besides the model flags.
  """
  with typed_code_allowed(*MODEL_FLAGS, "model", *other_flags):
    yield


@contextlib.contextmanager
def typed_code_allowed(*names: str) -> Iterator[None]:
  """Does what `named_code_allowed` does, for some flags only.

  Args:
    *names: Names of flags that may name classes.
  """
  typed = []
  for name in names:
    flag = flags.FLAGS[name]
    values = command.typed_values(name, *(["recipe"] if name == "model" else []))
    if name in ("set", "metrics"):  # Each of its values counts, of others the last one.
      values = [value for value in values if value in (flag.value or [])]
    elif values and flag.value == flag.parser.parse(values[-1]):
      values = [str(flag.value)]
    else:
      values = []
    # Of `kind:module:Class`, the value of --describe, the last two words.
    typed += re.findall(r"[\w.]+:\w+\b(?![.:])", " ".join(values))
  if flags.FLAGS["allow_code"].present:
    typed = [name for name in typed if registry.is_allowed(name)]
  with registry.allow_code(typed):
    yield


def origin(name: str) -> str:
  """Returns the source of a flag's value, after the recipe has set its defaults."""
  flag = flags.FLAGS[name]
  is_set = name == "hparams" and flags.FLAGS["set"].present
  if not flag.present and not is_set and flag.value == flag.default:
    return "recipe" if name in recipes.find(flags.FLAGS.model).flags else "default"
  names = {"model": "model|recipe", "hparams": "hparams|set"}.get(name, name)
  typed = any(re.match(f"--?(no)?({names})(=|$)", argument) for argument in sys.argv)
  return "command line" if typed else "flagfile"


def chosen_options(**instead: str | None) -> Config:
  """Returns the arguments of `VideoModel` that the command line describes.

  Args:
    **instead: Values of `--model` and of model flags to use in place of those given.
  """
  given = {name: flags.FLAGS[name].value for name in MODEL_FLAGS
           if flags.FLAGS[name].present}
  given["hparams"] = hparams_given()
  recipe = instead.pop("model", None) or flags.FLAGS.model
  return model_options(recipes.find(recipe), {**given, **instead})


def model_options(recipe: recipes.Recipe, given: Config) -> Config:
  """Returns the arguments of `VideoModel` other than classes and features.

  Args:
    recipe: The recipe.
    given: Model flags set on the command line, and their values.

  Raises:
    ValueError: Unknown option or hyperparameter, or `--hparams` is not JSON.
  """
  options = dict(recipe.options)
  if "video_level_classifier_model" in given:
    options["classifier"] = _video_level_classifier(given["video_level_classifier_model"])
  for part, registered in hparams.OPTIONS.items():
    name = given.get(part)
    if name is None:
      continue
    if name.lower() == "none":
      if part != "aggregation":
        raise ValueError(f"--{part}={name}: every model has a {part}. Only --aggregation "
                         f"can be none. Valid: {', '.join(registered)}.")
      options[part] = None
      continue
    registered[name]  # An unknown name is an error here.
    if registries.normalise_config(options.get(part) or "")["name"] != name:
      options[part] = {"name": name}
  if "normalization" in given:
    options["normalization"] = given["normalization"]
  for flag, (part, name, hparam) in STARTER_FLAGS.items():
    if flag not in given:
      continue
    current = options.get(part)
    config = registries.normalise_config(current) if current else {}
    if not config or name not in (None, config.get("name")):
      logging.warning("--%s has no effect: the model has no %s %s.", flag,
                      name or "frame", part)
      continue
    value = given[flag]
    if flag == "sample_random_frames":
      value = "random_frames" if value else "random_sequence"
    options[part] = {**config, hparam: value}
  return hparams.change(options, given.get("hparams"))


def _video_level_classifier(name: str) -> Any:
  recipe = recipes.find(name)
  if recipe.frame_level or "classifier" not in recipe.options:
    reason = "reads frames" if recipe.frame_level else "has no classifier"
    raise ValueError(f"--video_level_classifier_model={name} {reason}; choose a "
                     "video-level model, e.g. MoeModel or LogisticModel.")
  return recipe.options["classifier"]
