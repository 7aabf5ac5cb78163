# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a frame of a record: clauses of which the record is the subject."""

from typing import Any
from typing import TypeAlias

import numpy as np

from yt8m.core import feature_spec
from yt8m.data.expected import Expected

KINDS = {"bytes_list": "byte strings", "float_list": "floats", "int64_list": "integers"}
REMEDY = ("Write the record again; commands with --skip_bad_records can also go on "
          "without it.")

# Kind of the fault, by which records are counted, and its text.
Fault: TypeAlias = tuple[str, str]


def explain(frame: Any, where: str, name: str, expected: Expected) -> Fault | None:
  """Explains why a frame cannot be used.

  Args:
    frame: The frame, a `tf.train.Feature`.
    where: Name of the frame, e.g. `"frame 0 of feature rgb"`.
    name: Name of the feature.
    expected: Description of the frames of every feature.
  """
  kind = frame.WhichOneof("kind") or "bytes_list"
  in_bytes, dtype = kind == "bytes_list", expected.dtype(name)
  if kind == "int64_list" or not in_bytes and dtype == feature_spec.UINT8:
    return _explain_kind(kind, where, dtype, expected)
  if not in_bytes:
    return _explain_floats(frame.float_list.value, where, name, expected)
  fault = _explain_bytes(frame.bytes_list.value, where, name, expected)
  if fault or dtype == feature_spec.UINT8:
    return fault
  return _not_finite(np.frombuffer(
      frame.bytes_list.value[0], np.dtype(dtype).newbyteorder("<")), where)


def mixed(first: Any, feature: Any, where: str) -> Fault | None:
  """Explains that a frame is of another kind than the first one, both being good."""
  found, before = (x.WhichOneof("kind") for x in (feature, first))
  if found == before:
    return None
  return "wrong types", (
      f"has {KINDS[found]} in {where}, but {KINDS[before]} in frame 0: all frames of a "
      f"feature must be of one kind. {REMEDY}")


def _explain_kind(kind, where, dtype, expected):
  size = np.dtype(dtype).itemsize
  what = "one byte string, of {} a value".format(
      "one byte" if size == 1 else f"{size} bytes")
  if kind == "float_list" and not expected.of_model:
    what += ". For floats, give --feature_dtypes"
  elif dtype != feature_spec.UINT8:
    what += ", or floats"
  return "wrong types", f"has {KINDS[kind]} in {where}, expected {what}. {REMEDY}"


def _explain_bytes(strings, where, name, expected):
  size, dtype = expected.sizes[name], expected.dtype(name)
  found, needed = sum(map(len, strings)), size * np.dtype(dtype).itemsize
  if found != needed:
    what = "" if dtype == feature_spec.UINT8 else f" for {size} values of {dtype}"
    text = (f"has {found} bytes in {where}, expected {needed}{what} "
            f"{expected.by('--feature_sizes')}.")
    for other in feature_spec.DTYPES:
      if found == size * np.dtype(other).itemsize:
        text += f" They would be right for {other}" + (
            "." if expected.of_model else " (--feature_dtypes).")
        return "wrong sizes", text
    if found and found % needed == 0:
      text += f" Are these {found // needed} frames? Each needs its own byte string."
    return "wrong sizes", f"{text} {expected.remedy('--feature_sizes')}"
  if len(strings) != 1:
    return "wrong sizes", (f"has {len(strings)} byte strings in {where}, expected one. "
                           f"{REMEDY}")
  return None


def _explain_floats(values, where, name, expected):
  size = expected.sizes[name]
  if len(values) != size:
    return "wrong sizes", (f"has {len(values)} floats in {where}, expected {size} "
                           f"{expected.by('--feature_sizes')}. "
                           f"{expected.remedy('--feature_sizes')}")
  return (_not_finite(np.array(values), where)
          or too_large(values, where, name, expected))


def too_large(values: Any, where: str, name: str, expected: Expected) -> Fault | None:
  """Explains that a finite float is infinite in the type of its feature."""
  dtype = expected.dtype(name)
  if dtype == feature_spec.UINT8:
    return None
  with np.errstate(over="ignore"):
    cast = np.array(values).astype(dtype)
  for index in np.flatnonzero(np.isinf(cast))[:1]:
    return "values that are not finite", (
        f"has {values[index]:g} as value {index} of {where}, too large for {dtype} "
        f"{expected.by('--feature_dtypes')}.")
  return None


def _not_finite(values, where):
  for index in np.flatnonzero(~np.isfinite(values))[:1]:
    return "values that are not finite", (
        f"has {values[index]} as value {index} of {where}. {REMEDY}")
  return None
