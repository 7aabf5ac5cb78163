# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Builds a model from its config: a `VideoModel`, or one of the user's own."""

import inspect
from typing import Any

from yt8m.core import feature_spec
from yt8m.models import own_model
from yt8m.models import registries
from yt8m.models import video_model
from yt8m.models.layers import base


def build(*, model: Any = None, **arguments: Any) -> video_model.VideoModel:
  """Builds a model without its variables.

  Args:
    model: Config of a model of the user's own, `{"name": …, **hparams}`, or its name;
      None for a `VideoModel`. A subclass of `VideoModel` is built in its place.
    **arguments: Arguments of a `VideoModel`.

  Raises:
    ValueError: They do not fit.
  """
  config = registries.normalise_config(model) if model else {"name": ""}
  name = config.pop("name", "")
  cls: Any = own_model.MODELS[name] if name else None
  if not cls or not issubclass(cls, video_model.VideoModel):
    plain: Any = video_model.VideoModel(model=model, **arguments)
    return plain
  of_base = inspect.signature(video_model.VideoModel).parameters
  registries.check_values(f"--model={name}", {
      parameter: value for parameter, value in registries.hyperparameters(cls).items()
      if parameter not in of_base}, config)
  spec = arguments.pop("feature_spec")
  if isinstance(spec, dict):
    spec = feature_spec.FeatureSpec.from_config(spec)
  try:
    built: Any = cls(feature_spec=spec, **arguments, **config)
  except TypeError as error:
    raise ValueError(f"--model={name} cannot be built: {error}. Its constructor takes "
                     "num_classes, feature_spec and **kwargs.") from error
  # What the class decides by itself is not repeated when it is built again.
  built.built_from = {"feature_spec": spec.to_config(), **base.plain(arguments),
                      "model": {"name": name, **config}}
  return built
