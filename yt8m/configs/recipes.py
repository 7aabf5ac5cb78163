# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Recipes: whole models by name, each a choice of options and their hyperparameters.

`--model` (or `--recipe`) names a recipe. Train one with

    yt8m-train --model=<recipe> --train_data_pattern=… --train_dir=…
"""

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from absl import flags

from yt8m import models
from yt8m.configs import hparams
from yt8m.core import feature_spec
from yt8m.core import fields
from yt8m.core import registry
from yt8m.core.types import Config
from yt8m.core.types import OptionConfig
from yt8m.models import building

keras = tf.keras


@dataclasses.dataclass(frozen=True)
class Recipe:
  """The arguments of a `VideoModel`, and defaults of the flags that train it.

  Attributes:
    frame_level: Whether the model reads frames, instead of one vector for each video.
    options: Arguments of `VideoModel` (fusion, aggregation, classifier, sampling,
      normalization).
    flags: Training flags and their defaults; the command line has precedence.
  """
  frame_level: bool
  options: Config
  flags: Config = dataclasses.field(default_factory=dict)

  def set_flag_defaults(self) -> None:
    """Makes the flags of the recipe the defaults of the command that runs."""
    for name, value in self.flags.items():
      flags.FLAGS.set_default(name, value)


RECIPES = registry.Registry("model", (Recipe, keras.Model), functions=True)

# The five models of the starter code, with its defaults.
RECIPES.register("LogisticModel", Recipe(False, {"classifier": "logistic"}))
RECIPES.register("MoeModel", Recipe(False, {"classifier": "moe"}))
RECIPES.register("FrameLevelLogisticModel", Recipe(
    True, {"aggregation": "mean", "classifier": "logistic"}))
RECIPES.register("DbofModel", Recipe(
    True, {"sampling": {"num_frames": 30, "method": "random_frames"},
           "aggregation": "dbof", "classifier": "moe"}))
RECIPES.register("LstmModel", Recipe(
    True, {"aggregation": "lstm", "classifier": "moe"}))

# For a few thousand to a few hundred thousand videos with video-level features: rare
# classes share the hidden layer that frequent classes train.
#   yt8m-train --model=concat-hidden2048-logistic \
#     --feature_names=mean_rgb,mean_audio --feature_sizes=1024,128 \
#     --train_data_pattern='yt8m/video/fit/*.tfrecord' --train_dir=…
#   2 cores, 3 minutes for 13,998 videos; GAP@20 0.668 on 3,501 others.
RECIPES.register("concat-hidden2048-logistic", Recipe(
    False,
    {"normalization": "rms",
     "classifier": {"name": "hidden", "units": 2048, "head": "logistic",
                    "input_dropout": 0.3, "dropout": 0.5}},
    {"batch_size": 256, "base_learning_rate": 4e-4, "num_epochs": 15,
     "learning_rate_decay": 0.8, "learning_rate_decay_examples": 20000}))

# One small recipe for each option, `small-<option>`, to try options out and to compare
# them at equal cost (eval/ablations/tables/options-*.json). A fusion comes before a bag
# of frames, which reads every frame by itself; a classifier comes after the mean.
#   yt8m-train --model=small-netvlad --frame_features --feature_names=rgb,audio \
#     --feature_sizes=1024,128 --train_data_pattern='sample/frame/train*.tfrecord' …
#   One core, half a minute for 2,000 videos of 40 frames.
_DBOF = {"name": "dbof", "clusters": 128, "units": 128, "batch_norm_decay": 0.9}
_VLAD = {"clusters": 8, "projection": 64, "units": 128, "batch_norm_decay": 0.9}
# Hyperparameters of the small recipes, if they differ from the defaults.
_SMALL = {
    "attention_pooling": {"num_heads": 4, "units": 128, "hidden": 32},
    "bilinear": {"units": 1024},
    "blstm": {"units": 64},
    "cbhg": {"units": 48, "bank_size": 6, "num_highways": 2, "batch_norm_decay": 0.9},
    "class_chain": {"units": 128, "embedding": 64},
    "conditional": {"units": 128, "pretraining_epochs": 10},
    "dbof": _DBOF,
    "gated": {"head": "logistic", "batch_norm_decay": 0.9},
    "gru": {"units": 96, "num_layers": 1},
    "hidden": {"units": 256},
    "hierarchical_rnn": {"units": 96, "chunk_size": 6},
    "joint_conditional": {"head": {"name": "hidden", "units": 256}, "units": 128},
    "kernel": {"num_features": 1024},
    "label_embedding": {"units": 128, "pretraining_epochs": 10},
    "label_powerset": {"num_sets": 1000},
    "lstm": {"units": 96, "num_layers": 1},
    "netfv": _VLAD,
    "netvlad": _VLAD,
    "nextvlad": {"clusters": 8, "groups": 4, "units": 128, "batch_norm_decay": 0.9},
    "soft_dbof": {"clusters": 128, "units": 128, "batch_norm_decay": 0.9},
    "sum": {"units": 128},
    "temporal_graph": {"num_segments": 8, "kernel_units": 32, "hidden": 32},
    "transformer": {"units": 64, "num_layers": 2, "num_heads": 4, "mlp_ratio": 2},
}
_SMALL_REST = {"fusion": {"aggregation": _DBOF}, "aggregation": {},
               "classifier": {"aggregation": "mean"}}
SMALL_PREFIX = "small-"

for _part, _options in hparams.OPTIONS.items():
  for _name in _options:
    RECIPES.register(SMALL_PREFIX + _name, Recipe(
        True,
        {"normalization": "rms", **_SMALL_REST[_part],
         _part: {"name": _name, **_SMALL.get(_name, {})}},
        {"batch_size": 64, "base_learning_rate": 0.005, "num_epochs": 10}))


def _member(fusion: OptionConfig, aggregation: Config, num_mixtures: int) -> Recipe:
  return Recipe(
      True,
      {"fusion": fusion, "aggregation": aggregation,
       "classifier": {"name": "moe", "num_mixtures": num_mixtures}},
      {"batch_size": 128, "base_learning_rate": 2e-4, "learning_rate_decay": 0.8})


# The six members of the ensemble. In float32 and with 3,862 classes, their SavedModels
# take 162, 163, 168, 138, 136 and 200 MiB, in this order: 967 MiB of a budget of 1 GiB
# (`python benchmarks/member_sizes.py` exports and measures them).
#   yt8m-train --model=concat-NetVLAD-C128-MoE4 --frame_features \
#     --feature_names=rgb,audio --feature_sizes=1024,128 \
#     --train_data_pattern='yt8m/frame/train*.tfrecord' --train_dir=…
_BLSTM = {"name": "blstm", "units": 1024, "num_layers": 1, "skip": True}
_NETVLAD = {"name": "netvlad", "clusters": 64, "projection": 512, "units": 512,
            "context_gating": True}
MEMBERS = {
    "concat-BLSTM-MoE2": _member("concat", _BLSTM, 2),
    "attention-BLSTM-MoE2": _member("attention", _BLSTM, 2),
    # With 1,024 units, it would take 167.28 MiB.
    "concat-BLSTM-CG-MoE2": _member(
        "concat", {**_BLSTM, "units": 1032, "context_gating": True}, 2),
    "concat-NetVLAD-diff-C64-MoE4": _member(
        {"name": "differential", "fusion": "concat"}, _NETVLAD, 4),
    # The fusion projects to 512 already, so that the aggregation need not.
    "sum-NetVLAD-C64-MoE4": _member(
        {"name": "sum", "units": 512}, {**_NETVLAD, "projection": 0}, 4),
    "concat-NetVLAD-C128-MoE4": _member("concat", {**_NETVLAD, "clusters": 128}, 4),
}
for _name, _recipe in MEMBERS.items():
  RECIPES.register(_name, _recipe)


def find(name: str) -> Recipe:
  """Returns the recipe that `--model` names.

  Args:
    name: Registered name. Or the user's own: a recipe, a function that returns one or
      the arguments of a `VideoModel`, or a class, whose recipe names it alone.

  Raises:
    ValueError: There is none, or it is not allowed, or it is none of these.
  """
  entry: Any = RECIPES[name]
  if isinstance(entry, type) and issubclass(entry, keras.Model):
    return Recipe(False, {"model": {"name": name}})
  if not isinstance(entry, Recipe):
    try:
      entry = entry()
    except TypeError as error:
      raise ValueError(f"--model={name} cannot be called without arguments, as a recipe "
                       f"is: {error}.") from error
  if isinstance(entry, dict):
    entry = Recipe(bool(entry.get("aggregation")), entry)
  if not isinstance(entry, Recipe):
    raise ValueError(f"--model={name} returns {fields.short(entry)}, but a recipe "
                     "returns a dictionary of the arguments of a VideoModel.")
  valid = {*inspect.signature(models.VideoModel).parameters} - {
      "num_classes", "feature_spec", "kwargs"}
  for argument in sorted({*entry.options} - valid):
    raise registry.unknown("argument of a VideoModel", argument, sorted(valid),
                           f"--model={name} returns it.")
  return entry


def build(name: str, features: Mapping[str, feature_spec.Size], num_classes: int,
          **changes: Any) -> models.VideoModel:
  """Builds the model of a recipe; `yt8m.models.from_recipe` is this function.

  >>> import yt8m
  >>> model = yt8m.models.from_recipe(
  ...     "concat-NetVLAD-C128-MoE4", {"rgb": 1024, "audio": 128}, 3862,
  ...     aggregation={"clusters": 32})
  >>> model.aggregation.clusters
  32

  Args:
    name: Name of the recipe, as for `yt8m-train --model`.
    features: Size of each feature by its key in the records, or its size and type, as
      for `yt8m.datasets`.
    num_classes: Number of classes, C.
    **changes: Changes of the recipe's options: the name of another option, or
      hyperparameters, for example `classifier={"num_mixtures": 2}`, `fusion="sum"`.

  Returns:
    The model, whose variables exist.

  Raises:
    ValueError: There is no such recipe, option or hyperparameter.
  """
  recipe = find(name)
  options = dict(recipe.options)
  for part, change in changes.items():
    options[part] = (
        hparams.merge(options.get(part), change, hparams.OPTIONS.get(part))
        if isinstance(change, dict) else change)
  spec = feature_spec.FeatureSpec.of(
      features, feature_spec.FRAME if recipe.frame_level else feature_spec.VIDEO)
  return building.build(
      num_classes=num_classes, feature_spec=spec, **options).build_variables()


def listing() -> str:
  """Returns the names for a help text, with one entry for all small recipes."""
  names = [name for name in RECIPES if not name.startswith(SMALL_PREFIX)]
  return ", ".join([*names, f"{SMALL_PREFIX}<option>"])
