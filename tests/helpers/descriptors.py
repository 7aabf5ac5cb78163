# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Small models for the conformance suite, one for every registered option.

A new option needs no entry here: large whole numbers among its defaults are replaced. It
needs one in `SMALL` only where these numbers must fit together.
"""

import os

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.configs import recipes
from yt8m.core import feature_spec
from yt8m.models import registries

NUM_CLASSES = 6
MAX_FRAMES = 7
SPECS = {
    "frame": feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "frame"),
    "video": feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "video"),
}

# Hyperparameters that make options small, by registry and name.
SMALL = {
    "fusion": {"sum": {"units": 5}, "bilinear": {"units": 8}},
    "aggregation": {"lstm": {"units": 3}, "gru": {"units": 3}, "blstm": {"units": 3},
                    "hierarchical_rnn": {"units": 3, "chunk_size": 3},
                    "dbof": {"clusters": 9, "units": 5},
                    "attention_pooling": {"num_heads": 2, "units": 6, "hidden": 3},
                    "cbhg": {"units": 3, "bank_size": 3, "num_highways": 2},
                    "temporal_graph": {"num_segments": 3, "kernel_units": 6,
                                       "hidden": 4},
                    "netfv": {"clusters": 3, "projection": 5, "units": 4},
                    "netvlad": {"clusters": 3, "projection": 5, "units": 4},
                    "nextvlad": {"clusters": 3, "groups": 4, "units": 6,
                                 "gating_reduction": 2},
                    "soft_dbof": {"clusters": 9, "units": 5},
                    "transformer": {"units": 6, "num_heads": 2, "mlp_ratio": 2}},
    "classifier": {"class_chain": {"max_labels": 3, "units": 4, "embedding": 3},
                   "conditional": {"units": 4, "empty_share": 0.0},
                   "hidden": {"units": 5},
                   "joint_conditional": {"units": 4, "empty_share": 0.0},
                   "label_embedding": {"units": 4},
                   "label_powerset": {"num_sets": 9, "max_labels": 3}},
}

# Set by `make test-variants`.
EVERY_VARIANT = bool(os.environ.get("YT8M_ALL_VARIANTS"))
# Hyperparameters that change what options compute, by registry and name.
VARIANTS = {
    "fusion": {},
    "aggregation": {
        "blstm": [{"num_layers": 2, "layer_norm": True}, {"context_gating": True},
                  {"skip": False}],
        "gru": [{"output": "states", "reset_after": False, "reverse": True}],
        "lstm": [{"output": "states", "reverse": True}, {"layer_norm": True}],
        "netfv": [{"coupling": 0.0}, {"remove_diagonal": True}],
        "netvlad": [{"residuals": "none", "input_batch_norm": True},
                    {"residuals": "gated", "projection": 0, "units": 0},
                    {"remove_diagonal": True}],
        "soft_dbof": [{"max_pool": True}, {"gated": True},
                      {"context_gating": True, "remove_diagonal": True}],
        "transformer": [{"position": "none", "num_queries": 2}],
    },
    "classifier": {
        "class_chain": [{"decoding": "beam", "beam_width": 30}, {"order": "random"}],
        "conditional": [
            {"observation": "labels", "labels_per_step": 2, "min_confidence": 0.4,
             "evidence_weight": 0.5},
            {"sampling": "curriculum"},
            {"train_label_network": True, "pretraining_epochs": 0, "units": 16}],
        "gated": [{"context": "input"}, {"remove_diagonal": True}],
        "hidden": [{"activation": "relu6", "gating": "context"},
                   {"gating": "context", "remove_diagonal": True},
                   {"use_batch_norm": True, "gating": "squeeze", "gating_reduction": 2}],
        "joint_conditional": [
            {"head": {"name": "hidden", "units": 5}, "labels_per_step": 0},
            {"sampling": "curriculum", "contradiction": 0.0}],
        "label_embedding": [{"train_decoder": True, "pretraining_epochs": 0}],
        "label_powerset": [{"objective": "sets"}],
        "moe": [{"low_rank_gates": 2}],
    },
}


KINDS = {"fusion": models.FUSIONS, "aggregation": models.AGGREGATIONS,
         "classifier": models.CLASSIFIERS}


def small(kind, name):
  """Returns the config of an option with small hyperparameters."""
  defaults = registries.resolve(KINDS[kind], name)
  return {"name": name, **SMALL[kind].get(name, {
      key: 6 for key, value in defaults.items() if type(value) is int and value > 8})}


def option_models():
  """`{test id: (level, arguments of VideoModel)}`, each registered option once.

  And each of its `VARIANTS`, as `kind-name-hyperparameter=value,…`.
  """
  kinds = {"fusion": ("frame", {"aggregation": "mean"}), "aggregation": ("frame", {}),
           "classifier": ("video", {})}
  cases = {}
  for kind, (level, others) in kinds.items():
    for name in KINDS[kind]:
      for variant in ({}, *VARIANTS[kind].get(name, ())):
        changes = ",".join(f"{hparam}={value}" for hparam, value in variant.items())
        case = "-".join(filter(None, (kind, name, changes)))
        cases[case] = (level, {**others, kind: {**small(kind, name), **variant}})
  return cases


def recipe_names():
  """Recipes except the small ones, whose options have their own cases."""
  return [n for n in recipes.RECIPES if not n.startswith(recipes.SMALL_PREFIX)]


def recipe_models():
  """The same for every recipe, with its options made small."""
  cases = {}
  for name in recipe_names():
    recipe = recipes.RECIPES[name]
    options = dict(recipe.options)
    for kind in KINDS:
      if options.get(kind):
        config = registries.normalise_config(options[kind])
        options[kind] = {**config, **small(kind, config["name"])}
    if options.get("sampling"):
      options["sampling"] = {**options["sampling"], "num_frames": 4}
    cases[f"recipe-{name}"] = ("frame" if recipe.frame_level else "video", options)
  return cases


def all_models():
  mixture = ("frame", dict(aggregation="mean", mixture={"branches": 2}))
  sampling = ("frame", dict(aggregation=small("aggregation", "lstm"),
                            sampling={"num_frames": 4, "repeat": False}))
  calibration = ("video", dict(
      classifier=small("classifier", "moe"), calibration={
          "num_sets": 6, "num_labels": 12, "num_candidates": 3, "label_units": 5,
          "units": 4}))
  return {**option_models(), **recipe_models(), "mixture": mixture,
          "sampling": sampling, "calibration": calibration}


def replica_cases():
  """All cases except the recipes, which only combine options.

  Of the variants, which `make test-variants` trains as well, only those with batch
  normalisation: that is where replicas share more than gradients.
  """
  return sorted(case for case in set(all_models()) - set(recipe_models())
                if EVERY_VARIANT or "=" not in case or "batch_norm=True" in case)


def chosen(cases, variants=False, recipes=False):
  """Returns those of the cases that this run tests, sorted.

  `make test-variants` tests all of them. Otherwise every option is tested once; its
  variants, and the recipes, which combine options, only where a test asks for them.
  """
  return sorted(case for case in cases if EVERY_VARIANT or (
      (variants or "=" not in case) and (recipes or not case.startswith("recipe-"))))


def build(case):
  level, options = all_models()[case]
  return models.VideoModel(NUM_CLASSES, SPECS[level], **options).build_variables()


def randomize(model, seed=0):
  """Sets every weight to a random value, so that no gradient is 0 by initialisation."""
  rng = np.random.default_rng(seed)
  for weight in model.weights:
    if "int" in str(weight.dtype):
      continue  # a counter
    values = rng.normal(scale=0.5, size=weight.shape)
    if "variance" in weight.name:
      values = 0.5 + rng.random(weight.shape)
    weight.assign(values.astype(np.float32))


def batch(level, rows=5, seed=0, num_frames=None):
  """Returns a random batch in the form of a reader, padded with zeros."""
  rng = np.random.default_rng(seed)
  spec = SPECS[level]
  if num_frames is None:
    num_frames = rng.integers(1, MAX_FRAMES + 1, rows)
    num_frames[0], num_frames[-1] = MAX_FRAMES, 1
  features = {}
  for name, size in zip(spec.names, spec.sizes, strict=True):
    if level == "video":
      features[name] = tf.constant(rng.normal(size=(rows, size)), tf.float32)
    else:
      values = rng.integers(0, 256, (rows, MAX_FRAMES, size), np.uint8)
      values[np.arange(MAX_FRAMES) >= np.asarray(num_frames)[:, None]] = 0
      features[name] = tf.constant(values)
  return {"features": features, "num_frames": tf.constant(num_frames, tf.int32),
          "labels": tf.constant(rng.random((rows, NUM_CLASSES)) < 0.4)}
