# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""From model flags to the arguments of a `VideoModel`.

The order of precedence, weakest first: the recipe, the starter code's flags, the
flags that name an option, `--hparams`.
"""

import contextlib
import json
import re
import sys

from absl import flags
from absl import logging

from yt8m.configs import recipes
from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.layers import input_features

# What `define` defines belongs to the command that calls it, and its --help.
flags.disclaim_key_flags()

OPTIONS = {"fusion": registries.FUSIONS, "aggregation": registries.AGGREGATIONS,
           "classifier": registries.CLASSIFIERS}

# Starter flag -> the part, the option (None: any) and the hyperparameter it sets.
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

MODEL_FLAGS = (*OPTIONS, *STARTER_FLAGS, "hparams", "normalization",
               "video_level_classifier_model")


def define():
  """Defines the flags that describe a model, in the command that calls."""
  flags.DEFINE_integer("num_classes", 3862, "Classes; labels are 0 … num_classes − 1.")
  flags.DEFINE_integer("max_frames", 300, "Frames of a video that are read, the first.")
  flags.DEFINE_string("model", "LogisticModel",
                      f"Recipe: {recipes.listing()}.")
  flags.DEFINE_alias("recipe", "model")
  flags.DEFINE_string("fusion", None, "Option in place of the recipe's.")
  flags.DEFINE_string("aggregation", None, "Option in place of the recipe's.")
  flags.DEFINE_string("classifier", None, "Option in place of the recipe's.")
  define_hparams()
  flags.DEFINE_enum("normalization", "l2", input_features.NORMALIZATIONS,
                    "Of the input vectors; l2 is the starter code's.")
  flags.DEFINE_integer("iterations", 30, "Frames that a sampling model looks at.")
  flags.DEFINE_bool("sample_random_frames", True,
                    "Sample single frames, or else a sequence.")
  flags.DEFINE_bool("dbof_add_batch_norm", True, "Batch normalisation in DBoF.")
  flags.DEFINE_integer("dbof_cluster_size", 8192, "Clusters of DBoF.")
  flags.DEFINE_integer("dbof_hidden_size", 1024, "Output units of DBoF.")
  flags.DEFINE_string("dbof_pooling_method", "max", "max or average.")
  flags.DEFINE_string("dbof_activation", "sigmoid", "sigmoid, relu6, …")
  flags.DEFINE_string("video_level_classifier_model", "MoeModel",
                      "Classifier of a frame-level model.")
  flags.DEFINE_integer("lstm_cells", 1024, "Cells a layer.")
  flags.DEFINE_integer("lstm_layers", 2, "Layers.")
  flags.DEFINE_integer("moe_num_mixtures", 2, "Experts a class.")


def define_hparams():
  """Defines --hparams, in the command that calls."""
  flags.DEFINE_string("hparams", None, "Hyperparameters of the options, as JSON: "
                      "'{\"aggregation\": {\"units\": 512}}'. Of a trained model only "
                      "those that need no training, e.g. "
                      "'{\"classifier\": {\"num_steps\": 3}}'.")


@contextlib.contextmanager
def named_code_allowed(*other_flags):
  """Allows the classes that the user has typed as `my_package.my_module:MyClass`.

  Names in a flag file do not count, and with --allow_code nothing else is allowed.

  Args:
    *other_flags: Flags that name classes besides the model flags.
  """
  values = [str(flags.FLAGS[flag].value) for flag in (*MODEL_FLAGS, "model", *other_flags)]
  names = re.findall(r"[\w.]+:\w+", " ".join(values))
  typed = [name for name in names if any(name in argument for argument in sys.argv)]
  with registry.allow_code([] if flags.FLAGS["allow_code"].present else typed):
    yield


def chosen_options():
  """Returns the arguments of `VideoModel` that the command line says."""
  given = {name: flags.FLAGS[name].value for name in MODEL_FLAGS
           if flags.FLAGS[name].present}
  return model_options(recipes.RECIPES[flags.FLAGS.model], given)


def model_options(recipe, given):
  """Returns the arguments of `VideoModel` other than classes and features.

  Args:
    recipe: a `Recipe`.
    given: `{flag: value}` of the model flags set on the command line.

  Raises:
    ValueError: unknown option or hyperparameter, or `--hparams` is not JSON.
  """
  options = dict(recipe.options)
  given = dict(given)
  head = given.pop("video_level_classifier_model", None)
  if head is not None:
    options["classifier"] = _video_level_classifier(head)
  for part, valid in OPTIONS.items():
    name = given.get(part)
    if name is None:
      continue
    if name.lower() == "none":
      options[part] = None
      continue
    valid[name]  # An unknown name is an error here, with the valid ones.
    if registries.normalise_config(options.get(part) or "")["name"] != name:
      options[part] = {"name": name}
  if "normalization" in given:
    options["normalization"] = given["normalization"]
  for flag, (part, name, hparam) in STARTER_FLAGS.items():
    if flag not in given:
      continue
    current = options.get(part)
    config = registries.normalise_config(current) if current else {}
    if not config or (name is not None and config.get("name") != name):
      logging.warning("--%s has no effect: the model has no %s %s.", flag,
                      name or "frame", part)
      continue
    value = given[flag]
    if flag == "sample_random_frames":
      value = "random_frames" if value else "random_sequence"
    options[part] = {**config, hparam: value}
  return with_hparams(options, given.get("hparams"))


def _video_level_classifier(name):
  recipe = recipes.RECIPES[name]
  if recipe.frame_level:
    raise ValueError(f"--video_level_classifier_model={name} reads frames; choose a "
                     "video-level model, e.g. MoeModel or LogisticModel.")
  return recipe.options["classifier"]


def with_hparams(options, text):
  """Lays `--hparams` over the arguments of a `VideoModel`.

  Raises:
    ValueError: it is not JSON, or names a part that models do not have.
  """
  if not text:
    return options
  form = "Write it as --hparams='{\"aggregation\": {\"units\": 512}}'."
  try:
    hparams = json.loads(text)
  except json.JSONDecodeError as error:
    raise ValueError(f"--hparams={text!r} is not JSON ({error}). {form}") from error
  if not isinstance(hparams, dict):
    raise ValueError(f"--hparams={text!r} is no JSON object. {form}")
  options = dict(options)
  for part, changes in hparams.items():
    if part == "normalization":
      options[part] = changes
    elif part in (*OPTIONS, "sampling", "mixture") and isinstance(changes, dict):
      options[part] = recipes.merge(options.get(part), changes)
    else:
      raise ValueError(
          f"--hparams has {part!r}: {changes!r}; valid are dictionaries under "
          f"{', '.join((*OPTIONS, 'sampling', 'mixture'))}, and 'normalization'.")
  return options
