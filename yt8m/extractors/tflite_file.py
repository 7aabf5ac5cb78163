# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Loads a `.tflite` file that holds operations of TensorFlow Lite itself only.

TensorFlow brings a delegate for all its own operations, `FlexReadFile` among them, and
other custom operations may do anything.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import registry

_IDENTIFIER = b"TFL3"


Loaded = tuple[Callable[[Any], np.ndarray], tuple[int | None, ...], tf.DType]


def load(path: str) -> Loaded:
  """Loads a model.

  Args:
    path: Path of a `.tflite` file.

  Returns:
    A function from one input to one output, for one example at a time; and the shape and
    the type of its input. A quantised input counts as float32.

  Raises:
    FileNotFoundError: There is no such file.
    ValueError: It is no such file, or has custom operations, or several inputs.
  """
  with files.open_to_read(path, "rb") as file:
    content = file.read()
  _check(path, content)
  try:
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
  except (*fields.UNFIT, RuntimeError) as error:
    raise ValueError(f"{path} cannot be loaded ({fields.reason(error)[:300]}): convert "
                     "the model again.") from error
  if len(inputs) != 1 or len(outputs) != 1:
    raise ValueError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, but "
                     "an extractor has one of both.")
  [taken], [given] = inputs, outputs
  quantised = bool(taken["quantization"][0])

  def call(x):
    x = _quantised(np.asarray(x), taken) if quantised else np.asarray(x)
    interpreter.set_tensor(taken["index"], x)
    interpreter.invoke()
    return _dequantised(interpreter.get_tensor(given["index"]), given)

  dtype = tf.float32 if quantised else tf.as_dtype(taken["dtype"])
  return call, tuple(int(size) for size in taken["shape"]), dtype


def _quantised(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
  scale, zero = detail["quantization"]
  limits = np.iinfo(detail["dtype"])
  return np.clip(np.rint(x / scale) + zero, limits.min, limits.max).astype(
      detail["dtype"])


def _dequantised(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
  scale, zero = detail["quantization"]
  return (x.astype(np.float32) - zero) * scale if scale else x


def _check(path: str, content: bytes) -> None:
  """Refuses a file with custom operations, before an interpreter sees it."""
  from tensorflow.lite.python import schema_py_generated as schema
  try:
    if content[4:8] != _IDENTIFIER:
      raise ValueError(f"it does not have {_IDENTIFIER.decode()} at its beginning")
    model = schema.Model.GetRootAs(content, 0)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    custom = {fields.printable(name.decode("utf-8", "replace"))
              for code in codes if code and (name := code.CustomCode()) is not None}
  except (*fields.UNFIT, struct.error) as error:
    raise ValueError(f"{path} is not a model of TensorFlow Lite "
                     f"({fields.reason(error)[:300]}): convert it again.") from error
  if refused := sorted(custom - {*registry.allowed_code()}):
    raise ValueError(
        f"{path} is refused: it holds the custom operations {', '.join(refused)[:300]}, "
        "which could touch files or the network. If you trust this model, add "
        f"--allow_code={','.join(refused)[:300]} to the command line.")
