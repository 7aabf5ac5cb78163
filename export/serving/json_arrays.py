# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Arrays in JSON, in the format of TensorFlow Serving's REST API.

Arrays are nested lists of numbers, booleans or strings. Bytes that are not UTF-8 text are
`{"b64": "…"}`. Numbers keep their type: 1.5 is not an integer, and 256 is not a uint8.
NaN and Infinity are written as such. A float32 is written with nine digits, which restore
the same number.

Reference: tensorflow/serving, `util/json_tensor.cc`.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

# By kind of dtype: the kinds of array that numpy makes of the numbers, and the Python
# types of the numbers.
_KINDS = {"f": ("iuf", (int, float)), "i": ("iu", (int,)), "u": ("iu", (int,)),
          "b": ("b", (bool,))}
MAX_DEPTH = 32  # axes of an array, as many as numpy could have before version 2
_RAGGED = "is a list of lists of different lengths."


def to_array(value: Any, spec: tf.TensorSpec, bools: bool = True) -> np.ndarray:
  """Converts nested lists to an array.

  Args:
    value: JSON value.
    spec: Required dtype and shape. An empty list takes its other axes from the shape.
    bools: Whether there may be booleans among numbers, which numpy takes for 0 and 1.
      They are looked for one by one.

  Returns:
    An array; its elements are bytes objects if the dtype is string.

  Raises:
    ValueError: The value does not fit. The message has no subject, because only the
      caller knows the name of the value.
  """
  array = (_strings(value) if spec.dtype == tf.string
           else _numbers(value, spec.dtype, bools))
  if array.shape == (0,) and spec.shape.rank:
    array = array.reshape([0, *(size or 0 for size in spec.shape[1:])])
  if not spec.shape.is_compatible_with(array.shape):
    raise ValueError(
        f"has the shape {array.shape}; the signature requires {spec.shape}.")
  return array


def _numbers(value: Any, dtype: tf.DType, bools: bool) -> np.ndarray:
  target = np.dtype(dtype.as_numpy_dtype)
  kinds, types = _KINDS[target.kind]
  try:
    array = np.asarray(value)
  except ValueError as error:
    raise ValueError(_RAGGED) from error
  if array.size and (array.dtype.kind not in kinds or bools and any(
      type(x) not in types for x in _leaves(value))):
    wrong = (short(x) for x in _leaves(value) if type(x) not in types)
    raise ValueError(
        f"must be of {dtype.name}, has {next(wrong, 'numbers that are too large')}.")
  if array.size and target.kind in "iu":
    if array.min() < dtype.min or array.max() > dtype.max:
      raise ValueError(f"must be of {dtype.name}, {dtype.min} to {dtype.max}; has "
                       f"{array.min()} to {array.max()}.")
  with np.errstate(over="ignore"):
    converted = array.astype(target)
  if target.kind == "f" and (np.isinf(converted) & np.isfinite(array)).any():
    raise ValueError(f"has a number that is too large for {dtype.name}.")
  return converted


def _strings(value: Any) -> np.ndarray:
  decoded = _decode(value)
  shape = _shape(decoded)
  if len(shape) > MAX_DEPTH:
    raise ValueError(f"has lists nested {len(shape)} deep; at most {MAX_DEPTH} are "
                     "accepted.")
  array = np.empty(shape, object)
  try:
    array[...] = decoded
  except ValueError as error:
    raise ValueError(_RAGGED) from error
  if not all(isinstance(x, bytes) for x in array.flat):
    raise ValueError(_RAGGED)
  return array


def _decode(value: Any) -> Any:
  if isinstance(value, list):
    return [_decode(x) for x in value]
  if isinstance(value, str):
    return value.encode()
  if not is_b64(value):
    raise ValueError(f'must be a string or {{"b64": …}}, is {short(value)}.')
  return decode_b64(value)


def is_b64(value: Any) -> bool:
  """Whether a JSON value is the encoding of bytes, `{"b64": "…"}`."""
  return (isinstance(value, dict) and value.keys() == {"b64"}
          and isinstance(value["b64"], str))


def decode_b64(value: dict[str, str]) -> bytes:
  """Returns the bytes of `{"b64": "…"}`; white space and missing padding are accepted.

  Raises:
    ValueError: The text is not base64.
  """
  text = "".join(value["b64"].split()).rstrip("=")
  return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _shape(nested: Any) -> tuple[int, ...]:
  if not isinstance(nested, list):
    return ()
  return (len(nested), *_shape(nested[0])) if nested else (0,)


def _leaves(value: Any) -> Iterator[Any]:
  if isinstance(value, list):
    for x in value:
      yield from _leaves(x)
  else:
    yield value


def short(value: Any, length: int = 80) -> str:
  """Returns the beginning of a JSON value, for messages."""
  text = ""
  # Piece by piece, because the value may have millions of entries.
  for piece in json.JSONEncoder().iterencode(
      value[:length] if isinstance(value, str) else value):
    text += piece
    if len(text) > length:
      return f"{text[:length]}…"
  return text


def to_json(array: np.ndarray, as_bytes: bool = False) -> str:
  """Writes an array as nested lists.

  Args:
    array: Array of numbers or of bytes objects.
    as_bytes: Whether all bytes are written as `{"b64": …}`, even UTF-8 text.
  """
  if array.dtype == object:
    return json.dumps(_encode(array.tolist(), as_bytes))
  # From 10^8 on, the point would be the last character, which is not JSON. NaN is not
  # below it.
  if array.dtype == np.float32 and (np.abs(array) < 1e8).all():
    return _floats(array)
  return json.dumps(array.tolist())


def _floats(x: np.ndarray) -> str:
  # More than twice as fast as `json`. The # keeps 1.0 from becoming an integer.
  if x.ndim > 1:
    return f"[{', '.join(map(_floats, x))}]"
  if x.ndim == 0:
    return f"{x:#.9g}"
  return f"[{', '.join(['%#.9g'] * len(x))}]" % tuple(x.tolist())


def _encode(value: Any, as_bytes: bool) -> Any:
  if isinstance(value, list):
    return [_encode(x, as_bytes) for x in value]
  if not as_bytes:
    try:
      return value.decode()
    except UnicodeDecodeError:
      pass  # not text, so that JSON needs base64
  return {"b64": base64.b64encode(value).decode()}
