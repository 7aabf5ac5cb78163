# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--initialize_from`: a new model starts with what fits of a trained one.

A weight is taken if the other model has one of its path (`variable_paths`) in layers of
the same classes, and of its shape. Along the axes of classes (`class_axes`), the values
of classes with the same name are taken. Not taken, and the report says so:

* counters of steps: the new training counts its own;
* with other classes, what holds numbers of classes, and what a classifier has learned
  from label sets or solved for before training: it does so again for its own classes.
"""

import collections
import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.core import markdown
from yt8m.core import types
from yt8m.core.vocabulary import Vocabulary
from yt8m.models.classification import classifier
from yt8m.models.classification import wrappers
from yt8m.models.layers import variables
from yt8m.training import class_axes
from yt8m.training import variable_paths

# Entry in the manifest of a checkpoint.
RECORD = "initialized_from"
_TAKEN, _BY_NAME, _NEW = "taken", "by class name", "new"


@dataclasses.dataclass(frozen=True)
class Origin:
  """Where a weight of the new model comes from.

  Attributes:
    weight: The weight.
    how: Taken, by class name, or new.
    reason: Why it is new, or "".
    value: Value in the other model; None if it is new.
    per_class: Values of each class along each axis; of a weight by class name only.
  """
  weight: variable_paths.Weight
  how: str
  reason: str = ""
  value: np.ndarray | None = None
  per_class: tuple[int, ...] = ()


class Initialization:
  """What a new model takes from a trained one.

  Args:
    model: The new model, with its variables.
    record: What `config.json` and checkpoints say of it.
    origins: Where the weights come from; none if training goes on from a checkpoint.
    classes: The classes that both models have; None without another model.
    report: Lines that say what was taken.
  """

  def __init__(self, model: models.VideoModel, record: types.Config | None = None,
               origins: Sequence[Origin] = (),
               classes: class_axes.ClassMap | None = None, report: Sequence[str] = ()):
    self.record, self.report = record, list(report)
    self._model, self._origins, self._classes = model, origins, classes

  def assign(self) -> None:
    """Sets the weights. What is new in a weight keeps its value."""
    for origin in self._origins:
      value, variable = origin.value, variables.tf_variable(origin.weight.variable)
      if value is not None and origin.how == _BY_NAME and self._classes:
        value = self._classes.merge(
            tf.convert_to_tensor(variable).numpy(), value, origin.per_class)
      if value is not None:
        variable.assign(tf.cast(value, variable.dtype))

  def taken_variables(self) -> list[Any]:
    """Returns the weights of which no value is new."""
    paths = set(self.record["taken"]) if self.record else set()
    return [weight.variable for weight in variable_paths.of_model(self._model)
            if weight.path in paths]


def begin(source: str | None, train_dir: str, model: models.VideoModel,
          names: Vocabulary | None, resume_from: str | None) -> Initialization:
  """Returns what the model takes from another one. Nothing is set yet.

  Args:
    source: Value of `--initialize_from`.
    train_dir: Training directory of the model.
    model: The model, with its variables.
    names: Names of its classes; None if they have none.
    resume_from: Path prefix of the checkpoint that training goes on from, which has
      all weights; None for a new training.

  Raises:
    FileNotFoundError: There is no trained model at `source`.
    ValueError: Nothing of it fits, or it is damaged, or it is `train_dir` itself.
  """
  if resume_from:
    manifest = checkpoint_files.Manifest.load(resume_from)
    return Initialization(model, manifest.training.get(RECORD) if manifest else None)
  if not source:
    return Initialization(model)
  if os.path.realpath(source) == os.path.realpath(train_dir):
    raise ValueError(f"--initialize_from={source} is --train_dir itself: choose another "
                     "--train_dir.")
  if not tf.io.gfile.exists(os.path.join(source, experiment.CONFIG)):
    raise FileNotFoundError(f"--initialize_from={source} holds no trained model: name a "
                            "directory of yt8m-train.")
  path = checkpoints.find(source)
  with tf.device("CPU:0"):
    other, trained, _ = experiment.load(source, path)
    values = {weight.path: (weight, tf.convert_to_tensor(weight.variable).numpy())
              for weight in variable_paths.of_model(trained)}
  classes = class_axes.ClassMap.of_names(
      names, model.num_classes, other.kept_names(source), other.num_classes)
  axes = {} if classes.is_identity else class_axes.find(model)
  weights = variable_paths.of_model(model)
  origins = [_origin(weight, values.get(weight.path), classes, axes.get(weight.path, ()))
             for weight in weights]
  if all(origin.how == _NEW for origin in origins):
    firsts = {origin.reason: origin.weight.path for origin in reversed(origins)}
    reasons = "; ".join(f"{path}, {reason}" for reason, path in firsts.items())
    raise ValueError(
        f"Nothing of --initialize_from={source} fits: {reasons}. Choose the features, "
        "fusion, aggregation and classifier of that model, or leave the flag out.")
  taken = [origin.weight.path for origin in origins if origin.how == _TAKEN or (
      origin.how == _BY_NAME and classes.is_complete)]
  averaged = bool(checkpoints.read_number(path, checkpoints.NUM_AVERAGED))
  record = {"checkpoint": os.path.basename(path),
            "digest": checkpoint_files.digest(path), "averaged": averaged,
            "taken": taken}
  unused = [name for name in values if name not in {w.path for w in weights}]
  return Initialization(model, record, origins, classes, [
      f"Starts from {path}{', its averaged weights' * averaged}. Numbers of weights:",
      *_table(origins).splitlines(), _of_classes(classes, names),
      *_differences(other.model_config, model.get_config()), *_reasons(origins, unused)])


def _origin(weight: variable_paths.Weight,
            found: tuple[variable_paths.Weight, np.ndarray] | None,
            classes: class_axes.ClassMap, per_class: tuple[int, ...] | None) -> Origin:
  """Returns where a weight comes from, given that of the other model on its path."""
  if found is None:
    return Origin(weight, _NEW, "the other model has none there")
  other, value = found
  shape = tuple(weight.variable.shape)
  for mine, theirs in zip(weight.layers, other.layers, strict=False):
    if type(mine) is not type(theirs):
      return Origin(weight, _NEW, f"it is in a {type(mine).__name__}, there in a "
                                  f"{type(theirs).__name__}")
  is_integer = not tf.as_dtype(weight.variable.dtype).is_floating
  if is_integer and not shape:
    return Origin(weight, _NEW, "it counts steps")
  if classes.is_identity:
    if shape == value.shape:
      return Origin(weight, _TAKEN, value=value)
    return Origin(weight, _NEW, _other_shape(shape, value))
  if is_integer:
    return Origin(weight, _NEW, "it holds numbers of classes, and they are others")
  if _is_learned_before_training(weight):
    return Origin(weight, _NEW, "it is computed before training, for other classes")
  if per_class is None:
    return Origin(weight, _NEW, "its values have no known order by class")
  if any(per_class) and not len(classes.here):
    return Origin(weight, _NEW, "its classes are not those of the other model")
  if classes.merge(np.zeros(shape, value.dtype), value, per_class) is None:
    return Origin(weight, _NEW, _other_shape(shape, value))
  return Origin(weight, _BY_NAME if any(per_class) else _TAKEN, value=value,
                per_class=per_class)


def _other_shape(shape: tuple[int, ...], value: np.ndarray) -> str:
  return f"its shape is {shape}, there {value.shape}"


def _is_learned_before_training(weight: variable_paths.Weight) -> bool:
  """Whether a weight belongs to a classifier that label sets or features set.

  Of a classifier around a head, only what is its own counts, not what the head needs.
  """
  for layer in reversed(weight.layers):
    if hasattr(layer, "needs_label_sets"):  # the innermost classifier
      return any(getattr(layer, f"needs_{what}", False)
                 and getattr(type(layer), f"start_from_{what}", None) not in (
                     getattr(classifier.Classifier, f"start_from_{what}"),
                     getattr(wrappers.Wrapper, f"start_from_{what}"))
                 for what in ("label_sets", "features"))
  return False


def _table(origins: Sequence[Origin]) -> str:
  counts = collections.Counter((origin.weight.part, origin.how) for origin in origins)
  parts = [*variable_paths.PARTS, *sorted(
      {part for part, _ in counts} - {*variable_paths.PARTS})]
  return markdown.make(
      ["part", _TAKEN, _BY_NAME, _NEW],
      [[part, *(str(counts[part, how]) for how in (_TAKEN, _BY_NAME, _NEW))]
       for part in parts], ("part",))


def _of_classes(classes: class_axes.ClassMap, names: Vocabulary | None) -> str:
  if classes.is_identity:
    return f"Classes: the same {classes.num_here:,} in both models" + (
        "." if names else ", as no names say otherwise.")
  known = len(classes.here)
  if not known:
    return (f"Classes: none of {classes.num_here:,} is known to be one of the "
            f"{classes.num_there:,} of the other model. Classes are known by the names "
            "of --vocabulary, in both trainings.")
  return (f"Classes: {known:,} of {classes.num_here:,} have the name of one of the "
          f"{classes.num_there:,} of the other model; {classes.num_here - known:,} are "
          "new.")


def _differences(there: types.Config, here: types.Config) -> list[str]:
  """Returns a line on features and hyperparameters that differ, or none."""
  # Through JSON, tuples become lists, as they are in the file.
  old, new = (hparams.values(json.loads(json.dumps(config))) for config in (there, here))
  differing = sorted(name for name in {*old, *new} - {"name", "num_classes"}
                     if old.get(name) != new.get(name))
  if not differing:
    return []
  return ["Not as in the other model: " + "; ".join(
      f"{name} is {new.get(name)!r}, there {old.get(name)!r}" for name in differing)
          + "."]


def _reasons(origins: Sequence[Origin], unused: Sequence[str]) -> list[str]:
  """Returns a line for each reason, with all weights that are new for it."""
  by_reason: dict[str, list[str]] = {}
  for origin in origins:
    if origin.how == _NEW:
      by_reason.setdefault(origin.reason, []).append(origin.weight.path)
  lines = [f"New, as {reason}: {', '.join(paths)}." for reason, paths in
           by_reason.items()]
  if unused:
    lines.append(f"Left out of the other model, as this one has no such weight: "
                 f"{', '.join(unused)}.")
  return lines
