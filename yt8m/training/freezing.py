# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--freeze`: parts of a model that training does not change."""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m import models
from yt8m.core import compat
from yt8m.core import registry
from yt8m.training import variable_paths

# What an error lists of the paths: their first two names.
_SHOWN_DEPTH = 2


class Frozen:
  """Weights of a model that stay as they are, moving averages of batch norm included.

  The model itself is left as it is: Keras orders the weights of a layer by whether they
  are trainable, and checkpoints have that order.

  Args:
    model: `VideoModel` with its variables created.
    prefixes: Parts, or beginnings of paths, of `variable_paths`.

  Attributes:
    trained: The trainable variables of the model that are not frozen.
    report: Lines that say what is frozen.

  Raises:
    ValueError: The model has no such part, or nothing would be trained.
  """

  def __init__(self, model: models.VideoModel, prefixes: Sequence[str] = ()):
    weights = variable_paths.of_model(model) if prefixes else []
    for prefix in prefixes:
      if prefix not in variable_paths.PARTS and not any(
          weight.is_in(prefix) for weight in weights):
        raise registry.unknown("--freeze", prefix, dict.fromkeys([
            *variable_paths.PARTS, *("/".join(weight.path.split("/")[:_SHOWN_DEPTH])
                                     for weight in weights)]))
    frozen = [weight for weight in weights
              if any(weight.is_in(prefix) for prefix in prefixes)]
    self._ids = {id(weight.variable) for weight in frozen}
    self.trained = [v for v in model.trainable_variables if id(v) not in self._ids]
    if not self.trained:
      raise ValueError(f"--freeze={','.join(prefixes)} leaves nothing to train: freeze "
                       "less.")
    # A layer that holds others would pass its setting on to them.
    owners = {id(weight.layers[-1]): weight.layers[-1] for weight in frozen}
    self._layers = [layer for layer in owners.values() if layer.trainable
                    and compat.all_layers(layer) == [layer]
                    and all(id(weight) in self._ids for weight in layer.weights)]
    size = sum(int(np.prod(weight.variable.shape)) for weight in frozen)
    self.report = [f"Frozen by --freeze={','.join(prefixes)}: {len(frozen)} of "
                   f"{len(model.weights)} weights, {size:,} values. Batch normalisation "
                   "there uses its moving averages and keeps them."] if prefixes else []

  def __contains__(self, variable: Any) -> bool:
    return id(variable) in self._ids

  @contextlib.contextmanager
  def hold(self) -> Iterator[None]:
    """Makes the frozen layers not trainable for the calls of the block.

    Batch normalisation then uses its moving averages and leaves them alone, also in
    training, and the penalties of these layers do not count.
    """
    for layer in self._layers:
      layer.trainable = False
    try:
      yield
    finally:
      for layer in self._layers:
        layer.trainable = True


def of_flag(model: models.VideoModel, text: str | None) -> Frozen:
  """Returns what `--freeze` names, see `Frozen`."""
  return Frozen(model, text.split(",") if text else [])


def normalised(text: str | None) -> str | None:
  """Returns the value of `--freeze` with its names sorted, as config.json keeps it.

  Raises:
    ValueError: It names nothing.
  """
  if text is None:
    return None
  names = sorted({*filter(None, map(str.strip, text.split(",")))})
  if not names:
    raise ValueError("--freeze names nothing: name parts such as fusion, or leave the "
                     "flag out.")
  return ",".join(names)
