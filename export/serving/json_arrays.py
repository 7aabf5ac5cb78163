# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Arrays in JSON, as TensorFlow Serving's REST API writes them.

Nested lists of numbers, of true and false, or of strings; bytes that are no text are
`{"b64": "…"}`. Numbers keep their kind: 1.5 is no integer, and 256 no uint8. NaN and
Infinity are written like that. Float32 is written with nine digits, which give the same
number back.

Reference: tensorflow/serving, `util/json_tensor.cc`.
"""

import base64
import json

import numpy as np
import tensorflow as tf

# By the kind of a dtype: what numpy makes of the numbers, and Python of each.
_KINDS = {"f": ("iuf", (int, float)), "i": ("iu", (int,)), "u": ("iu", (int,)),
          "b": ("b", (bool,))}
_RAGGED = "is a list of lists of different lengths."


def to_array(value, spec):
  """Reads nested lists.

  Args:
    value: what `json` made of the text.
    spec: `tf.TensorSpec`, the dtype and the shape that the array must have. Of an empty
      list the other axes are taken from it.

  Returns:
    An array; of bytes objects if `spec` wants strings.

  Raises:
    ValueError: the value does not fit. The message lacks its subject: the caller knows
      the name.
  """
  array = _strings(value) if spec.dtype == tf.string else _numbers(value, spec.dtype)
  if array.shape == (0,) and spec.shape.rank:
    array = array.reshape([0, *(size or 0 for size in spec.shape[1:])])
  if not spec.shape.is_compatible_with(array.shape):
    raise ValueError(f"has the shape {array.shape}; the signature wants {spec.shape}.")
  return array


def _numbers(value, dtype):
  target = np.dtype(dtype.as_numpy_dtype)
  kinds, types = _KINDS[target.kind]
  try:
    array = np.asarray(value)
  except ValueError as error:
    raise ValueError(_RAGGED) from error
  if array.size and array.dtype.kind not in kinds:
    others = (x for x in _leaves(value) if type(x) not in types)
    raise ValueError(f"must be of {dtype.name}, has "
                     f"{short(next(others, 'numbers too large'))}.")
  if array.size and target.kind in "iu":
    low, high = np.iinfo(target).min, np.iinfo(target).max
    if array.min() < low or array.max() > high:
      raise ValueError(f"must be of {dtype.name}, {low} to {high}; has {array.min()} to "
                       f"{array.max()}.")
  with np.errstate(over="ignore"):
    converted = array.astype(target)
  if target.kind == "f" and (np.isinf(converted) & np.isfinite(array)).any():
    raise ValueError(f"has a number that is too large for {dtype.name}.")
  return converted


def _strings(value):
  decoded = _decode(value)
  array = np.empty(_shape(decoded), object)
  try:
    array[...] = decoded
  except ValueError as error:
    raise ValueError(_RAGGED) from error
  if not all(isinstance(x, bytes) for x in array.flat):
    raise ValueError(_RAGGED)
  return array


def _decode(value):
  if isinstance(value, list):
    return [_decode(x) for x in value]
  if isinstance(value, str):
    return value.encode()
  if not is_b64(value):
    raise ValueError(f'must be a string or {{"b64": …}}, is {short(value)}.')
  text = "".join(value["b64"].split()).rstrip("=")
  return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def is_b64(value):
  """Whether a JSON value stands for bytes."""
  return (isinstance(value, dict) and value.keys() == {"b64"}
          and isinstance(value["b64"], str))


def _shape(nested):
  if not isinstance(nested, list):
    return ()
  return (len(nested), *_shape(nested[0])) if nested else (0,)


def _leaves(value):
  if isinstance(value, list):
    for x in value:
      yield from _leaves(x)
  else:
    yield value


def short(value, length=80):
  """A JSON value for a message."""
  text = value if isinstance(value, str) else json.dumps(value)
  return text if len(text) <= length else f"{text[:length]}…"


def to_json(array, as_bytes=False):
  """Writes an array as nested lists.

  Args:
    array: numbers, or bytes objects.
    as_bytes: writes all bytes as `{"b64": …}`, and not only what is no UTF-8.

  Returns:
    JSON, a string.
  """
  if array.dtype == object:
    return json.dumps(_encode(array.tolist(), as_bytes))
  if array.dtype == np.float32 and np.isfinite(array).all():
    return _floats(array)
  return json.dumps(array.tolist())


def _floats(x):
  # More than twice as fast as `json`; the # keeps 1.0 from becoming an integer.
  if x.ndim > 1:
    return f"[{', '.join(map(_floats, x))}]"
  if x.ndim == 0:
    return f"{x:#.9g}"
  return f"[{', '.join(['%#.9g'] * len(x))}]" % tuple(x.tolist())


def _encode(value, as_bytes):
  if isinstance(value, list):
    return [_encode(x, as_bytes) for x in value]
  if not as_bytes:
    try:
      return value.decode()
    except UnicodeDecodeError:
      pass  # JSON is text, and this is none.
  return {"b64": base64.b64encode(value).decode()}
