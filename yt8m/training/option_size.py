# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The number of parameters of a model, and of an option in a model that has it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags

from yt8m import models
from yt8m.configs import hparams
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import feature_spec
from yt8m.core.types import Config
from yt8m.models import registries

# Kinds that may have parameters.
_KINDS = ("recipe", *hparams.OPTIONS, "mixture")
_MIB = 2**20


def of_flags(kind: str, name: str) -> list[str]:
  """Returns lines with the number of parameters, for the features and classes of flags.

  Without flags that describe features, they are those of YouTube-8M.

  Args:
    kind: Kind of the option; if it can have no parameters, there is no line.
    name: Name of the option.
  """
  values = flags.FLAGS
  if kind not in _KINDS:
    return []
  if any(values[flag].present for flag in (
      "feature_names", "feature_sizes", "frame_features", "segment_labels")):
    spec = feature_spec.FeatureSpec.from_flags(
        values.feature_names, values.feature_sizes, values.frame_features,
        values.segment_labels, values.feature_dtypes, values.reader)
  elif kind == "recipe" and not recipes.RECIPES[name].frame_level:
    spec = feature_spec.FeatureSpec.from_flags("mean_rgb,mean_audio", "1024,128")
  else:
    spec = feature_spec.FeatureSpec.from_flags("rgb,audio", "1024,128", True)
  instead = {} if kind == "mixture" else {"model" if kind == "recipe" else kind: name}
  return _described(kind, spec, values.num_classes, model_flags.chosen_options(**instead))


def of_model(model: models.VideoModel) -> list[str]:
  """Returns the parts of a model and its size, a line each."""
  spec = model.feature_spec
  parts = ", ".join(f"{part} {registries.normalise_config(model.options[part])['name']}"
                    for part in hparams.OPTIONS if model.options[part])
  if mixture := model.options["mixture"]:
    parts = f"{mixture['branches']} branches of {parts}"
  return [f"Model: {parts} | {_features(spec)}, {model.num_classes:,} classes",
          f"Parameters: {_count([model])}"]


def _features(spec: feature_spec.FeatureSpec) -> str:
  level = "vectors" if spec.is_video_level else "frames"
  features = ", ".join(f"{name} {size}"
                       for name, size in zip(spec.names, spec.sizes, strict=True))
  return f"{level} ({features})"


def _described(kind: str, spec: feature_spec.FeatureSpec, num_classes: int,
              options: Config) -> list[str]:
  """Returns lines with the number of parameters, or why it cannot be counted.

  Args:
    kind: One of `_KINDS`. For a recipe, the whole model and its parts are counted.
    spec: Features of the model.
    num_classes: Number of classes.
    options: Arguments of a `VideoModel` that has the option.
  """
  if kind != "recipe" and not spec.is_video_level and not options.get("aggregation"):
    options = {**options, "aggregation": "mean"}
  if kind == "mixture" and not options.get("mixture"):
    options = {**options, "mixture": {"branches": 2}}
  try:
    model = models.VideoModel(num_classes, spec, **options).build_variables()
  except ValueError as error:
    return [f"Parameters: they depend on the other flags. {error}"]
  parts = {part: _layers(model, part) for part in hparams.OPTIONS if model.options[part]}
  names = {part: registries.normalise_config(model.options[part])["name"]
           for part in parts}
  where = f"for {_features(spec)} and {num_classes:,} classes"
  others = [name for part, name in names.items() if part != kind]
  if kind in hparams.OPTIONS:
    return [f"Parameters: {_count(parts[kind])} {where}, with {' and '.join(others)}"]
  lines = [f"Parameters of the model: {_count([model])} {where}"]
  if mixture := model.options["mixture"]:
    lines.append(f"  {mixture['branches']} branches of")
  return lines + [f"  {part} {names[part]}: {_count(layers)}"
                  for part, layers in parts.items()]


def _layers(model: models.VideoModel, part: str) -> list[Any]:
  """Returns the layers of a part in the first branch: one, or one for each modality."""
  branch = model.branches[0]
  return {"fusion": [branch.fusion], "aggregation": branch.aggregations,
          "classifier": branch.classifiers}[part]


def _count(layers: Iterable[Any]) -> str:
  weights = {id(weight): weight for layer in layers for weight in layer.weights}.values()
  sizes = [int(np.prod(weight.shape)) for weight in weights]
  num_bytes = sum(size * tf.as_dtype(weight.dtype).size
                  for size, weight in zip(sizes, weights, strict=True))
  return f"{sum(sizes):,} ({num_bytes / _MIB:.2f} MiB)"
