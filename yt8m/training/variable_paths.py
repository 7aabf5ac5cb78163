# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The weights of a model by their place in it: `classifier/head/experts/kernel`.

Names of Keras count the layers of a process: the second model has other ones. A path
consists of attributes, and two models of the same options have the same paths:

    fusion, aggregation, classifier    the parts, which all paths begin with
    aggregation_rgb                    if each modality has its own
    classifier_0, classifier_0_rgb     in the branches of a mixture
    mixture, sampling, …               what is in none of the parts
    unnamed/0                          what no attribute of a layer leads to
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from yt8m import models

keras = tf.keras

PARTS = ("fusion", "aggregation", "classifier")
_OTHER = "other"
_OF_TENSORFLOW = "_self_"  # its notes on what an object holds


@dataclasses.dataclass(frozen=True)
class Weight:
  """A weight of a model.

  Attributes:
    part: One of `PARTS`, or "other".
    path: Its path.
    variable: The weight.
    layers: The layers that it is in, the outermost one first.
  """
  part: str
  path: str
  variable: Any
  layers: tuple[Any, ...]

  def is_in(self, prefix: str) -> bool:
    """Whether a part, or the beginning of a path, covers this weight."""
    return prefix == self.part or f"{self.path}/".startswith(f"{prefix}/")


def of_model(model: models.VideoModel) -> list[Weight]:
  """Returns the weights of a model in the order of its parts."""
  model.build_variables()
  seen: set[int] = set()
  wanted = {id(weight) for weight in model.weights}
  found = [Weight(part, path, variable, layers)
           for part, name, root in _roots(model)
           for path, variable, layers in _walk(root, name, (), wanted, seen)]
  unnamed = [variable for variable in model.weights if id(variable) not in seen]
  return found + [Weight(_OTHER, f"unnamed/{number}", variable, ())
                  for number, variable in enumerate(unnamed)]


def _roots(model: models.VideoModel) -> Iterator[tuple[str, str, Any]]:
  """Yields the parts of a model, then what else it holds: part, path and value."""
  for number, branch in enumerate(model.branches):
    suffix = f"_{number}" if len(model.branches) > 1 else ""
    for part, layers in zip(
        PARTS, ([branch.fusion], branch.aggregations, branch.classifiers), strict=True):
      for name, layer in zip(model.feature_spec.names, layers, strict=False):
        yield part, f"{part}{suffix}" + f"_{name}" * (len(layers) > 1), layer
  yield _OTHER, "mixture" if model.options["mixture"] else "scorer", model.scorer
  for name, value in _attributes(model).items():
    yield _OTHER, name, value


def _walk(value: Any, path: str, layers: tuple[Any, ...], wanted: set[int],
          seen: set[int]) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
  """Yields path, variable and layers of all weights in a value that were not seen yet."""
  if id(value) in seen:
    return
  if id(value) in wanted:
    seen.add(id(value))
    yield path, value, layers
    return
  if isinstance(value, keras.layers.Layer):
    seen.add(id(value))
    layers, entries = (*layers, value), _attributes(value)
  elif isinstance(value, dict):
    entries = value
  elif isinstance(value, (list, tuple)):
    entries = dict(enumerate(value))
  else:
    return
  for name, entry in entries.items():
    yield from _walk(entry, f"{path}/{name}", layers, wanted, seen)


def _attributes(layer: Any) -> dict[str, Any]:
  """Returns the attributes of a layer besides those that Keras gives to all layers."""
  is_model = isinstance(layer, keras.Model)
  found = {name.lstrip("_"): value for name, value in vars(layer).items()
           if name not in _of_keras(is_model) and not name.startswith(_OF_TENSORFLOW)}
  # Those of a Sequential or functional model are in no attribute of their own.
  return {**found, "layers": list(layer.layers)} if is_model else found


@functools.cache
def _of_keras(is_model: bool) -> frozenset[str]:
  return frozenset(dir(keras.Model() if is_model else keras.layers.Layer()))
