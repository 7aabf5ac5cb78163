# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The starter code's flags of the model and the data, for commands after training.

The starter code repeats them in evaluation and inference. Here `config.json` of the
training directory knows them, so they are only compared with it.
"""

from typing import Any

from absl import flags
from absl import logging

from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import feature_spec
from yt8m.models import registries
from yt8m.models.layers import frame_sampling

_TEXTS = ("model", "feature_names", "feature_sizes", "label_loss",
          "video_level_classifier_model", "dbof_pooling_method", "dbof_activation")
_SWITCHES = ("frame_features", "sample_random_frames", "dbof_add_batch_norm")
_NUMBERS = ("num_classes", "max_frames", "iterations", "dbof_cluster_size",
            "dbof_hidden_size", "lstm_cells", "lstm_layers", "moe_num_mixtures")
NAMES = (*_TEXTS, *_SWITCHES, *_NUMBERS)

# What the model has no use for, or config.json does not tell.
_UNUSED = object()


def define() -> None:
  """Defines those of the flags that the calling command does not define itself.

  They belong to this module, so that --helpfull shows them and --help does not.
  """
  text = "As for yt8m-train; must be what the model of --train_dir was trained with."
  for name in NAMES:
    if name in flags.FLAGS:
      continue
    if name in _NUMBERS:
      flags.DEFINE_integer(name, None, text, lower_bound=1)
    elif name in _SWITCHES:
      flags.DEFINE_bool(name, None, text)
    else:
      flags.DEFINE_string(name, None, text)


def given() -> list[str]:
  """Returns the names of the flags that the command line has."""
  return [name for name in NAMES if flags.FLAGS[name].present]


def check(config: experiment.Experiment, train_dir: str) -> None:
  """Compares the flags that are given with a trained model.

  One line names those that say the same.

  Args:
    config: Configuration of the model.
    train_dir: Its directory, for messages.

  Raises:
    ValueError: A flag says something else than the model.
  """
  names = given()
  for name in names:
    trained = _trained(config, name)
    value = _normal(name, flags.FLAGS[name].value)
    if trained is not _UNUSED and value != trained:
      raise ValueError(
          f"--{name}={_shown(value)}, but the model of {train_dir} was trained with "
          f"--{name}={_shown(trained)}. Leave the flag out, since config.json there has "
          "its value, or choose another --train_dir.")
  if names:
    logging.info("config.json of %s describes the model, so these flags are not needed: "
                 "%s.", train_dir, ", ".join(f"--{name}" for name in names))


def refuse(remedy: str) -> None:
  """Refuses all of these flags, for a model that no `config.json` describes.

  Raises:
    ValueError: One of them is given.
  """
  for name in given():
    raise ValueError(f"--{name} is compared with config.json of a training directory, "
                     f"and there is none: {remedy}")


def _normal(name: str, value: Any) -> Any:
  """Returns the value of a flag in the form of `_trained`."""
  if name == "feature_names":
    return [word.strip() for word in value.split(",") if word.strip()]
  if name == "feature_sizes":
    names = [str(number) for number in range(value.count(",") + 1)]
    return list(feature_spec.FeatureSpec.from_flags(",".join(names), value).sizes)
  if name == "video_level_classifier_model":
    classifier = recipes.find(value).options["classifier"]
    return registries.normalise_config(classifier)["name"]
  if name == "sample_random_frames":
    return "random_frames" if value else "random_sequence"
  return value


def _trained(config: experiment.Experiment, name: str) -> Any:
  """Returns the value that a model was trained with, or `_UNUSED`."""
  spec, model = config.feature_spec, config.model_config
  if name in model_flags.STARTER_FLAGS:
    part, option, hparam = model_flags.STARTER_FLAGS[name]
    if not model.get(part):
      return _UNUSED
    if part == "sampling":
      return {**registries.hparam_defaults(frame_sampling.FrameSampling),
              **model[part]}[hparam]
    found = registries.resolve(hparams.OPTIONS[part], model[part])
    return found[hparam] if option == found["name"] else _UNUSED
  if name == "video_level_classifier_model":
    # A video-level model has no other, and the starter code does not look at the flag.
    return (_UNUSED if spec.is_video_level
            else registries.normalise_config(model["classifier"])["name"])
  known = {"feature_names": list(spec.names), "feature_sizes": list(spec.sizes),
           "frame_features": not spec.is_video_level, "num_classes": config.num_classes,
           "max_frames": _UNUSED if spec.is_video_level else config.max_frames}
  return known[name] if name in known else config.flags.get(name, _UNUSED)


def _shown(value: Any) -> str:
  """Returns a value as it is typed."""
  return ",".join(map(str, value)) if isinstance(value, list) else str(value)
