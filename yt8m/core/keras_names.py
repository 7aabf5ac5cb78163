# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Lets `compile` find the metrics and losses of this package by name.

Keras has no registry for such names: `keras.metrics.get("gap")` reads a table of Keras 3
or calls a function of Keras 2. `import yt8m` puts the names there as soon as Keras is
imported, before or after yt8m, and imports neither Keras nor TensorFlow itself.
"""

import functools
import importlib
import importlib.machinery
import sys
import types
from collections.abc import Callable
from typing import Any

_METRICS = "yt8m.eval.metrics.keras_metrics:"
_LOSSES = "yt8m.models.losses:"

# Names and where their classes are, for each module of Keras that resolves names.
NAMES = {
    "src.metrics": {
        "gap": f"{_METRICS}GlobalAveragePrecision",
        "GlobalAveragePrecision": f"{_METRICS}GlobalAveragePrecision",
        "map": f"{_METRICS}MeanAveragePrecision",
        "MeanAveragePrecision": f"{_METRICS}MeanAveragePrecision",
        "hit@1": f"{_METRICS}HitAtK",
        "hit_at_1": f"{_METRICS}HitAtK",
        "HitAtK": f"{_METRICS}HitAtK",
        "perr": f"{_METRICS}PrecisionAtEqualRecall",
        "PrecisionAtEqualRecall": f"{_METRICS}PrecisionAtEqualRecall",
    },
    "src.losses": {name: _LOSSES + name
                   for name in ("AsymmetricLoss", "CrossEntropyLoss", "HingeLoss",
                                "SoftmaxLoss")},
}
_KERAS = ("keras", "tf_keras")


def install() -> None:
  """Adds the names to the modules of Keras that are imported, and to later ones."""
  for keras in _KERAS:
    for name in NAMES:
      if module := sys.modules.get(f"{keras}.{name}"):
        _add_names(module)
  if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
    sys.meta_path.insert(0, _Finder())


class _Finder:
  """Finds the modules of Keras as Python does, and adds the names when they are run."""

  def find_spec(self, fullname: str, path: Any, target: Any = None
                ) -> importlib.machinery.ModuleSpec | None:
    keras, _, name = fullname.partition(".")
    if keras not in _KERAS or name not in NAMES:
      return None
    spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
    if spec is None or spec.loader is None:
      return None
    execute = spec.loader.exec_module

    def execute_and_add(module: types.ModuleType) -> None:
      execute(module)
      _add_names(module)

    spec.loader.exec_module = execute_and_add
    return spec


def _add_names(module: types.ModuleType) -> None:
  names = NAMES[module.__name__.partition(".")[2]]
  table = getattr(module, "ALL_OBJECTS_DICT", None)
  if table is not None:  # Keras 3
    table.update({name: _later(path) for name, path in names.items()})
  else:
    module.deserialize = _deserialize_names(module.deserialize, names)  # type: ignore


def _later(path: str) -> type:
  """Returns a class whose call makes an object of the class at `path`.

  Keras calls what its table holds only if it is a class.
  """

  class Later:

    def __new__(cls) -> Any:
      return _make(path)

  return Later


def _deserialize_names(deserialize: Callable, names: dict[str, str]) -> Callable:
  """Wraps the function to which `get` of Keras 2 passes a name."""

  @functools.wraps(deserialize)
  def deserialize_names(config, *args, **kwargs):
    if isinstance(config, str) and config in names:
      return _make(names[config])
    return deserialize(config, *args, **kwargs)

  return deserialize_names


def _make(path: str) -> Any:
  module, _, name = path.partition(":")
  return getattr(importlib.import_module(module), name)()
