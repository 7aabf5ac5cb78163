# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Recipes: whole models by name, each a choice of options with its hyperparameters.

A recipe is what `--model` (or `--recipe`) names. Train one with

    yt8m-train --model=<recipe> --train_data_pattern=… --train_dir=…
"""

import dataclasses

from yt8m.core import registry
from yt8m.models import registries


@dataclasses.dataclass(frozen=True)
class Recipe:
  """The arguments of a `VideoModel`, and the flags its training starts from.

  Attributes:
    frame_level: whether the model reads frames, or one vector a video.
    options: arguments of `VideoModel` (fusion, aggregation, classifier, sampling,
      normalization).
    flags: defaults of training flags; a flag on the command line wins.
  """
  frame_level: bool
  options: dict
  flags: dict = dataclasses.field(default_factory=dict)


RECIPES = registry.Registry("model", Recipe)

# The five models of the starter code, at its defaults.
RECIPES.register("LogisticModel", Recipe(False, {"classifier": "logistic"}))
RECIPES.register("MoeModel", Recipe(False, {"classifier": "moe"}))
RECIPES.register("FrameLevelLogisticModel", Recipe(
    True, {"aggregation": "mean", "classifier": "logistic"}))
RECIPES.register("DbofModel", Recipe(
    True, {"sampling": {"num_frames": 30, "method": "random_frames"},
           "aggregation": "dbof", "classifier": "moe"}))
RECIPES.register("LstmModel", Recipe(
    True, {"aggregation": "lstm", "classifier": "moe"}))

# For a few thousand to a few hundred thousand videos with video-level features:
# classes with ten positives need to share what the frequent ones learn.
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

# One small recipe an option, `small-<option>`, for trying options out and for
# comparing them at equal effort (eval/ablations/tables/options.py).
# A fusion stands in front of a bag of frames, which reads every frame by itself; a
# classifier behind the mean.
#   yt8m-train --model=small-netvlad --frame_features --feature_names=rgb,audio \
#     --feature_sizes=1024,128 --train_data_pattern='sample/frame/train*.tfrecord' …
#   One core, half a minute for 2,000 videos of 40 frames.
_DBOF = {"name": "dbof", "clusters": 128, "units": 128, "batch_norm_decay": 0.9}
_VLAD = {"clusters": 8, "projection": 64, "units": 128, "batch_norm_decay": 0.9}
SMALL = {
    "fusion": {
        "attention": {},
        "bilinear": {"units": 1024},
        "concat": {},
        "differential": {},
        "late1": {},
        "late2": {},
        "sum": {"units": 128},
    },
    "aggregation": {
        "attention_pooling": {"num_heads": 4, "units": 128, "hidden": 32},
        "blstm": {"units": 64},
        "cbhg": {"units": 48, "bank_size": 6, "num_highways": 2,
                 "batch_norm_decay": 0.9},
        "dbof": _DBOF,
        "gru": {"units": 96, "num_layers": 1},
        "hierarchical_rnn": {"units": 96, "chunk_size": 6},
        "lstm": {"units": 96, "num_layers": 1},
        "mean": {},
        "netfv": _VLAD,
        "netvlad": _VLAD,
        "nextvlad": {"clusters": 8, "groups": 4, "units": 128, "batch_norm_decay": 0.9},
        "soft_dbof": {"clusters": 128, "units": 128, "batch_norm_decay": 0.9},
        "temporal_graph": {"num_segments": 8, "kernel_units": 32, "hidden": 32},
    },
    "classifier": {
        "class_chain": {"units": 128, "embedding": 64},
        "conditional": {"units": 128, "pretraining_epochs": 10},
        "gated": {"head": "logistic", "batch_norm_decay": 0.9},
        "hidden": {"units": 256},
        "label_powerset": {"num_sets": 1000},
        "logistic": {},
        "moe": {},
    },
}
_SMALL_REST = {"fusion": {"aggregation": _DBOF}, "aggregation": {},
               "classifier": {"aggregation": "mean"}}
SMALL_PREFIX = "small-"

for _part, _options in SMALL.items():
  for _name, _hparams in _options.items():
    RECIPES.register(SMALL_PREFIX + _name, Recipe(
        True,
        {"normalization": "rms", **_SMALL_REST[_part],
         _part: {"name": _name, **_hparams}},
        {"batch_size": 64, "base_learning_rate": 0.005, "num_epochs": 10}))


def _member(fusion, aggregation, num_mixtures):
  return Recipe(
      True,
      {"fusion": fusion, "aggregation": aggregation,
       "classifier": {"name": "moe", "num_mixtures": num_mixtures}},
      {"batch_size": 128, "base_learning_rate": 2e-4, "learning_rate_decay": 0.8})


# The six members of the ensemble. In float32 and with 3,862 classes their SavedModels
# take 162, 163, 168, 138, 136 and 200 MiB, in this order: 967 MiB of a budget of 1 GiB
# (`python benchmarks/member_sizes.py` exports and weighs them).
#   yt8m-train --model=concat-NetVLAD-C128-MoE4 --frame_features \
#     --feature_names=rgb,audio --feature_sizes=1024,128 \
#     --train_data_pattern='yt8m/frame/train*.tfrecord' --train_dir=…
_BLSTM = {"name": "blstm", "units": 1024, "num_layers": 1, "skip": True}
_NETVLAD = {"name": "netvlad", "clusters": 64, "projection": 512, "units": 512,
            "context_gating": True}
MEMBERS = {
    "concat-BLSTM-MoE2": _member("concat", _BLSTM, 2),
    "attention-BLSTM-MoE2": _member("attention", _BLSTM, 2),
    # With 1,024 units it would take 167.28 MiB.
    "concat-BLSTM-CG-MoE2": _member(
        "concat", {**_BLSTM, "units": 1032, "context_gating": True}, 2),
    "concat-NetVLAD-diff-C64-MoE4": _member(
        {"name": "differential", "fusion": "concat"}, _NETVLAD, 4),
    # The sum has the size that the others are projected to.
    "sum-NetVLAD-C64-MoE4": _member(
        {"name": "sum", "units": 512}, {**_NETVLAD, "projection": 0}, 4),
    "concat-NetVLAD-C128-MoE4": _member("concat", {**_NETVLAD, "clusters": 128}, 4),
}
for _name, _recipe in MEMBERS.items():
  RECIPES.register(_name, _recipe)


def listing():
  """The names for a `--help`, the small recipes as one."""
  names = [name for name in RECIPES if not name.startswith(SMALL_PREFIX)]
  return ", ".join([*names, f"{SMALL_PREFIX}<option>"])


def merge(option, changes):
  """Lays the hyperparameters `changes` over a config, `{"name": …, **hparams}`.

  An option within it, such as the head of a classifier, is merged in the same way. A
  change of the name is another option: nothing is left of the config.
  """
  config = registries.normalise_config(option) if option else {}
  if changes.get("name", config.get("name")) != config.get("name"):
    return dict(changes)
  return {**config, **{
      name: merge(config[name], value)
      if isinstance(value, dict) and isinstance(config.get(name), (dict, str)) else value
      for name, value in changes.items()}}
