# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Small models, one for every registered option, that the conformance suite runs.

An option needs an entry in `SMALL` only where its defaults are too large for a test.
"""

import numpy as np
import tensorflow as tf

from yt8m import feature_spec
from yt8m import models
from yt8m import recipes

NUM_CLASSES = 6
MAX_FRAMES = 7
SPECS = {
    "frame": feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "frame"),
    "video": feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "video"),
}

# Hyperparameters that make an option small, by registry and name.
SMALL = {
    "fusion": {"sum": {"units": 5}},
    "aggregation": {"lstm": {"units": 3}, "dbof": {"clusters": 9, "units": 5},
                    "netvlad": {"clusters": 3, "projection": 5, "units": 4}},
    "classifier": {"hidden": {"units": 5}},
}


def small(kind, name):
  return {"name": name, **SMALL[kind].get(name, {})}


def option_models():
  """`{test id: (level, arguments of VideoModel)}`, each registered option once."""
  cases = {}
  for name in models.FUSIONS:
    cases[f"fusion-{name}"] = (
        "frame", dict(fusion=small("fusion", name), aggregation="mean"))
  for name in models.AGGREGATIONS:
    cases[f"aggregation-{name}"] = (
        "frame", dict(aggregation=small("aggregation", name)))
  for name in models.CLASSIFIERS:
    cases[f"classifier-{name}"] = ("video", dict(classifier=small("classifier", name)))
  return cases


def recipe_models():
  """The same for every recipe, its options made small."""
  cases = {}
  for name in recipes.RECIPES:
    recipe = recipes.RECIPES[name]
    options = dict(recipe.options)
    for kind in ("fusion", "aggregation", "classifier"):
      if options.get(kind):
        config = recipes.merge(options[kind], {})
        options[kind] = {**config, **SMALL[kind].get(config["name"], {})}
    if options.get("sampling"):
      options["sampling"] = {**options["sampling"], "num_frames": 4}
    cases[f"recipe-{name}"] = ("frame" if recipe.frame_level else "video", options)
  return cases


def all_models():
  return {**option_models(), **recipe_models()}


def build(case):
  level, options = all_models()[case]
  return models.VideoModel(NUM_CLASSES, SPECS[level], **options).build_variables()


def randomize(model, seed=0):
  """Gives every weight a random value, so that no gradient is 0 by initialisation."""
  rng = np.random.default_rng(seed)
  for weight in model.weights:
    if "int" in str(weight.dtype):
      continue  # a counter
    values = rng.normal(scale=0.5, size=weight.shape)
    if "variance" in weight.name:
      values = 0.5 + rng.random(weight.shape)
    weight.assign(values.astype(np.float32))


def batch(level, rows=5, seed=0, num_frames=None):
  """A random batch as a reader gives it, padded with zeros."""
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
