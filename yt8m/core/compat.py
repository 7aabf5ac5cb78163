# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The one place that touches private API of Keras and TensorFlow, each with its reason.

Public API that Keras 2 and Keras 3 merely spell differently does not belong here.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

keras = tf.keras


def build_optimizer(optimizer: Any, variables: Sequence[tf.Variable]) -> None:
  """Creates the slots of an optimizer, so that a checkpoint can restore them.

  Reason: optimizers from before Keras 2.11, and those of TensorFlow Addons, have no
  public `build`. They create their slots in the first step, after the restore.
  """
  if hasattr(optimizer, "build"):
    optimizer.build(variables)
  else:
    optimizer._create_all_weights(variables)


def schedule_or_rate(optimizer: Any) -> Any:
  """Returns the schedule of the learning rate of an optimizer, or else the rate.

  Reason: the public `learning_rate` of Keras 2 is the rate of the last update, and a
  schedule is only reachable as `_learning_rate`.
  """
  return getattr(optimizer, "_learning_rate", optimizer.learning_rate)


def learning_rate(optimizer: Any) -> float:
  """Returns the learning rate of the next update."""
  rate = schedule_or_rate(optimizer)
  value: Any = rate(optimizer.iterations) if callable(rate) else rate
  return float(tf.convert_to_tensor(value))


def is_compiled_by_xla() -> bool:
  """Whether the graph that is being built belongs to a function with `jit_compile`.

  Reason: there is no public way to ask, and XLA names a function of the host that it
  cannot compile only by the type of its operation.
  """
  return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def all_layers(model: Any) -> list[Any]:
  """Returns a model and all layers in it, in a fixed order.

  Reason: the public `layers` of a model are those of its first level, and a layer has
  none.
  """
  return list(model._flatten_layers())
