# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Floating-point operations of the matrix products that a function really executes.

The function runs eagerly, with `tf.function` switched off, and every product that
TensorFlow executes meanwhile, in loops and gradients too, counts 2 · m · k · n. Nothing
else counts: activations, masks, norms and the optimizer are no products, so the share of
a large product says how much of the time is left to them.
"""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_callbacks

from yt8m.models.layers import recurrent


def of(function: Callable[[], Any]) -> int:
  """Returns the operations of all matrix products of one call, forward and backward."""
  total = 0

  def count(op_type, inputs, attrs, outputs, op_name=None, graph=None):
    del op_name, graph
    nonlocal total
    pairs = dict(zip(attrs[::2], attrs[1::2], strict=True)) if attrs else {}
    total += _operations(op_type, inputs, pairs, outputs)

  tf.config.run_functions_eagerly(True)
  op_callbacks.add_op_callback(count)
  try:
    with recurrent.portable():  # A kernel of cuDNN would hide its products.
      function()
  finally:
    op_callbacks.remove_op_callback(count)
    tf.config.run_functions_eagerly(False)
  return total


def _operations(op_type: Any, inputs: Any, attrs: dict[str, Any], outputs: Any) -> int:
  kind = op_type.decode() if isinstance(op_type, bytes) else op_type
  if kind == "MatMul":
    inner = inputs[0].shape[0 if attrs.get("transpose_a") else 1]
    return 2 * inner * math.prod(outputs[0].shape)
  if kind.startswith("BatchMatMul"):
    inner = inputs[0].shape[-2 if attrs.get("adj_x") else -1]
    return 2 * inner * math.prod(outputs[0].shape)
  if kind == "Einsum":
    equation = attrs["equation"]
    equation = equation.decode() if isinstance(equation, bytes) else equation
    sizes: dict[str, int] = {}
    for labels, x in zip(equation.split("->")[0].split(","), inputs, strict=True):
      sizes.update(zip(labels, x.shape, strict=True))
    return 2 * math.prod(sizes.values()) if len(inputs) == 2 else 0
  if kind == "Conv2D":  # Also that of one dimension.
    return 2 * math.prod(outputs[0].shape) * math.prod(inputs[1].shape[:3])
  if kind == "Conv2DBackpropInput":
    return 2 * math.prod(inputs[2].shape) * math.prod(inputs[1].shape[:3])
  if kind == "Conv2DBackpropFilter":
    return 2 * math.prod(inputs[2].shape) * math.prod(outputs[0].shape[:3])
  return 0
