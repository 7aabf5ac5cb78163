# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The variables of an optimizer, which a checkpoint must hold."""

from typing import Any

import tensorflow as tf

from yt8m.models.layers import variables

keras = tf.keras


def slots_and_counters(optimizer: Any) -> list[tf.Variable]:
  """Returns the variables of an optimizer, in a fixed order."""
  found: Any = optimizer.variables
  found = found() if callable(found) else found
  return [variables.tf_variable(v) for v in found]


class SavedState:
  """The variables of a built optimizer, all of which checkpoints must hold.

  Args:
    optimizer: The optimizer.

  Raises:
    ValueError: It has others; the error says how to make them.
  """

  def __init__(self, optimizer: Any):
    self._optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    self._num_saved = len(slots_and_counters(self._optimizer))
    saved = {id(variable) for variable in slots_and_counters(self._optimizer)}
    # What every optimizer of Keras has, with or without a schedule of the learning rate,
    # is none of its state, but those before Keras 2.11, as in Addons, have other
    # attributes.
    schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 1, 1.0)
    of_keras = ({**vars(keras.optimizers.SGD()), **vars(keras.optimizers.SGD(schedule))}
                if isinstance(self._optimizer, keras.optimizers.Optimizer)
                else vars(self._optimizer))
    for name in sorted({*vars(self._optimizer)} - {*of_keras}):
      if any(isinstance(entry, tf.Variable) and id(entry) not in saved
             for entry in tf.nest.flatten(getattr(self._optimizer, name))):
        raise self._error(f"its {name} is not among its variables")

  def check(self) -> None:
    """Raises ValueError if a step has made further variables."""
    if len(slots_and_counters(self._optimizer)) != self._num_saved:
      raise self._error("it makes variables in its first step")

  def _error(self, fault: str) -> ValueError:
    return ValueError(
        f"--optimizer: {type(self._optimizer).__name__} cannot be resumed from a "
        f"checkpoint: {fault}. Make them in build(), by "
        "self.add_variable_from_reference(variable, name).")
