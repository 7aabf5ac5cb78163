# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which values of a weight belong to which class.

An axis of a weight is one of classes if it grows with the number of classes: the model
is built a second time, for one class more. If it then has k values more along an axis,
k values belong to each class, and this is their order:

    class c has the values c·k … c·k + k − 1; what remains after C·k belongs to no class

Layers of the user must follow this order as well. Of a mixture of experts, k is the
number of mixtures, or of gates. The matrix of a gate of scores has two such axes.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.core import vocabulary
from yt8m.models import building
from yt8m.training import variable_paths


class ClassMap:
  """Which classes of a model are those of another one.

  Args:
    here: Numbers of the common classes in the model.
    there: Their numbers in the other model, in the same order.
    num_here: Number of classes of the model.
    num_there: Number of classes of the other model.

  Attributes:
    is_identity: Whether the models have the same classes in the same order.
    is_complete: Whether the other model has all classes of the model.
  """

  def __init__(self, here: Sequence[int], there: Sequence[int], num_here: int,
               num_there: int):
    self.here, self.there = np.array(here, np.int64), np.array(there, np.int64)
    self.num_here, self.num_there = num_here, num_there
    self.is_complete = len(self.here) == num_here
    self.is_identity = num_here == num_there and self.is_complete and np.array_equal(
        self.here, self.there)

  @classmethod
  def of_names(cls, here: vocabulary.Vocabulary | None, num_here: int,
               there: vocabulary.Vocabulary | None, num_there: int) -> "ClassMap":
    """Returns the classes of the same names.

    Without names of both models, equal numbers of classes are the same classes, and of
    other numbers none is.

    Args:
      here: Names of the classes of the model; None if they have none.
      num_here: Number of classes of the model.
      there: Names of the classes of the other model; None if they have none.
      num_there: Number of classes of the other model.
    """
    if not (here and there) or here == there:
      same = range(num_here) if num_here == num_there else []
      return cls(same, same, num_here, num_there)
    # A class without a name has its number as a name, which says nothing.
    numbers = {name: number for number, name in enumerate(there.names)
               if name != vocabulary.unnamed(number)}
    pairs = [(number, numbers[name]) for number, name in enumerate(here.names)
             if name in numbers and name != vocabulary.unnamed(number)]
    return cls([one for one, _ in pairs], [other for _, other in pairs], num_here,
               num_there)

  def merge(self, here: np.ndarray, there: np.ndarray, per_class: Sequence[int]
            ) -> np.ndarray | None:
    """Returns the values of a weight, with those of the other model for common classes.

    Args:
      here: Values of the weight of the model.
      there: Values of that weight of the other model.
      per_class: Values of each class along each axis, k; 0 without classes.

    Returns:
      The values, of the shape of `here`; None if the shapes do not fit.
    """
    if here.ndim != there.ndim:
      return None
    targets, origins = [], []
    for size, other, k in zip(here.shape, there.shape, per_class, strict=True):
      rest = size - k * self.num_here
      if other != k * self.num_there + rest:
        return None
      remaining = np.arange(rest)
      steps = np.arange(k)
      targets.append(np.append(
          self.here[:, np.newaxis] * k + steps, k * self.num_here + remaining))
      origins.append(np.append(
          self.there[:, np.newaxis] * k + steps, k * self.num_there + remaining))
    merged = here.copy()
    if not targets:
      return there.astype(here.dtype)
    merged[np.ix_(*targets)] = there[np.ix_(*origins)]
    return merged


def find(model: models.VideoModel) -> dict[str, tuple[int, ...] | None]:
  """Returns the values of each class along each axis, by the path of a weight.

  It is 0 for an axis without classes. The entry of a weight whose size does not follow
  the order above, such as a value for each pair of classes, is None.

  Args:
    model: Model whose weights are looked at.
  """
  with tf.device("CPU:0"):
    wider = building.build(
        **{**model.get_config(), "num_classes": model.num_classes + 1})
    shapes = {weight.path: tuple(weight.variable.shape)
              for weight in variable_paths.of_model(wider)}
  return {weight.path: _per_class(tuple(weight.variable.shape), shapes.get(weight.path),
                                  model.num_classes)
          for weight in variable_paths.of_model(model)}


def _per_class(shape: tuple[int, ...], wider: tuple[int, ...] | None, num_classes: int
               ) -> tuple[int, ...] | None:
  if wider is None or len(wider) != len(shape):
    return None
  found = tuple(other - size for size, other in zip(shape, wider, strict=True))
  fits = all(k >= 0 and size >= k * num_classes
             for k, size in zip(found, shape, strict=True))
  return found if fits else None
