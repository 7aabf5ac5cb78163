# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Functions of many passes over memory, which XLA joins while a model is trained."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def compiled_in_training(function: Callable[..., Any]) -> Callable[..., Any]:
  """Compiles a function by XLA where a CPU trains.

  In prediction, where its gain is smaller, a SavedModel would need XLA.

  Args:
    function: Function of tensors, and of Python values that can be hashed.

  Returns:
    The function, with the further argument `training`.
  """
  compiled = tf.function(function, jit_compile=True)

  @functools.wraps(function)
  def call(*args: Any, training: bool) -> Any:
    on_cpu = not tf.config.list_logical_devices("GPU")
    return (compiled if training and on_cpu else function)(*args)

  return call
