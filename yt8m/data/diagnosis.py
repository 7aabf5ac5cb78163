# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Explains what is wrong with a bad record.

The graphs of the readers only notice that something is wrong. These functions look at
the one record that stops a run, as a protocol buffer. The bytes of an `Example` are
those of a `SequenceExample` without feature lists, so records of every level come here
as `tf.train.SequenceExample`.

Each function returns a `Fault`, such as "has label 20, outside the 20 classes
(--num_classes).", or None if it finds nothing wrong.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any
from typing import TypeAlias

import tensorflow as tf
from google.protobuf import message

from yt8m.core import feature_spec
from yt8m.core import video_ids
from yt8m.data import frame_faults
from yt8m.data.expected import Expected as Expected

Record: TypeAlias = tf.train.SequenceExample

RATINGS = {"segment_start_times": "int64_list", "segment_labels": "int64_list",
           "segment_scores": "float_list"}
_IDS = ("id", "video_id")
_KINDS, _REMEDY = frame_faults.KINDS, frame_faults.REMEDY
# A larger label is no class number that somebody has forgotten to count.
_MOST_CLASSES = 10**7


@dataclasses.dataclass(frozen=True)
class Fault:
  """What is wrong with a record.

  Attributes:
    kind: Kind of the fault, by which records that are left out are counted.
    text: Clause of which the record is the subject, with a remedy.
  """
  kind: str
  text: str

  def left_out(self, name: str) -> tuple[str, str]:
    """Returns kind and message for `records.Incidents` of the record called `name`."""
    return (f"bad records left out, with {self.kind}",
            f"{name} {self.text} It is left out.")


Explain: TypeAlias = Callable[[Record], Fault | None]


def examine(serialized: bytes, explain: Explain) -> Fault | None:
  """Explains why serialized bytes cannot be used as a record.

  Args:
    serialized: Content of the record.
    explain: Function that explains a record that is a protocol buffer.
  """
  try:
    record = Record.FromString(serialized)
  except message.DecodeError:
    return Fault("broken protocol buffers", "is no tf.train.Example or SequenceExample: "
                 f"its protocol buffer is broken. {_REMEDY}")
  return explain(record)


def feature_names(serialized: bytes) -> set[str]:
  """Returns the names of what may be features of a record: frames, or its vectors."""
  try:
    record = Record.FromString(serialized)
  except message.DecodeError:
    return set()
  lists = {name for name, frames in record.feature_lists.feature_list.items()
           if frames.feature}
  return lists or set(_vectors(record))


def explain_video(record: Record, expected: Expected) -> Fault | None:
  """Explains why `VideoLevelReader` cannot use a record."""
  context, lists = record.context.feature, record.feature_lists.feature_list
  for name, size in expected.sizes.items():
    if name not in context and lists:
      remedy = ("These are frame-level records, and the model reads video-level ones: "
                "name such records, or another model." if expected.of_model else
                "If these are frame-level records, add --frame_features, with a --model "
                "and --feature_names of frames, or name video-level ones.")
      return Fault("frame-level records", f"has no feature {name}, but frames of "
                   f"{_names(lists)}. {remedy}")
    wrong = _wrong_type(record, name, "float_list")
    if wrong:
      return wrong
    values = _values(record, name)
    if len(values) not in (0, size):  # Without values, the feature is missing.
      return Fault("wrong sizes", f"has {len(values)} values of feature {name}, expected "
                   f"{size} {expected.by('--feature_sizes')}. "
                   f"{expected.remedy('--feature_sizes')}")
    wrong = _not_finite(record, name, "feature ")
    if wrong:
      return wrong
    if fault := frame_faults.too_large(values, f"feature {name}", name, expected):
      return Fault(*fault)
  return explain_id_and_labels(record, expected)


def explain_frames(record: Record, expected: Expected) -> Fault | None:
  """Explains why `FrameLevelReader` cannot use a record."""
  return _explain_frames(record, expected) or explain_id_and_labels(record, expected)


def explain_segments(record: Record, expected: Expected) -> Fault | None:
  """Explains why `SegmentReader` cannot use a record."""
  return (explain_ratings(record) or _explain_frames(record, expected)
          or explain_id(record) or _explain_labels(record, "segment_labels", expected))


def explain_ratings(record: Record) -> Fault | None:
  """Explains why the ratings of segments cannot be used."""
  for key, kind in RATINGS.items():
    wrong = _wrong_type(record, key, kind)
    if wrong:
      return wrong
  counts = [len(_values(record, key)) for key in RATINGS]
  if min(counts) != max(counts):
    starts, labels, scores = counts
    return Fault("incomplete ratings", f"has {starts} segment_start_times, {labels} "
                 f"segment_labels and {scores} segment_scores: every rating needs one of "
                 f"each. {_REMEDY}")
  return _not_finite(record, "segment_scores") or (explain_id(record) if counts[0]
                                                   else None)


def explain_id_and_labels(record: Record, expected: Expected) -> Fault | None:
  """Explains why the id or the labels of a whole video cannot be used."""
  return explain_id(record) or _explain_labels(record, "labels", expected)


def explain_id(record: Record) -> Fault | None:
  """Explains why the id of a video cannot be used."""
  for key in _IDS:
    wrong = _wrong_type(record, key, "bytes_list")
    if wrong:
      return wrong
    if len(_values(record, key)) > 1:
      return Fault("several ids", f"has {len(_values(record, key))} values of {key}, "
                   f"expected one. {_REMEDY}")
  return None if _id(record) else Fault(
      "no id", f"has neither id nor video_id. {_REMEDY}")


def _explain_labels(record, key, expected):
  wrong = _wrong_type(record, key, "int64_list",
                      f"class numbers from 0 to {expected.num_classes - 1}")
  if wrong:
    return wrong
  for label in _values(record, key):
    if not 0 <= label < expected.num_classes:
      return Fault("labels out of range", f"has label {label}, outside the "
                   f"{expected.num_classes} classes {expected.by('--num_classes')}: "
                   f"{key} must be class numbers from 0 to {expected.num_classes - 1}. "
                   + (expected.remedy("--num_classes", "Increase")
                      if 0 < label < _MOST_CLASSES else _REMEDY))
  return None


def _explain_frames(record, expected):
  lists, context = record.feature_lists.feature_list, record.context.feature
  for name in expected.sizes:
    if not lists and _vectors(record):
      remedy = ("These are video-level records, and the model reads frame-level ones: "
                "name such records, or another model." if expected.of_model else
                "If these are video-level records, drop --frame_features.")
      return Fault("video-level records", f"has no frames of feature {name}, only "
                   f"{_names(context)}. {remedy}")
    frames: Any = lists[name].feature if name in lists else ()
    for number, frame in enumerate(frames):
      where = f"frame {number} of feature {name}"
      if fault := (frame_faults.explain(frame, where, name, expected)
                   or frame_faults.mixed(frames[0], frame, where)):
        kind, text = fault
        if expected.dtype(name) != feature_spec.UINT8:
          text = f"(id {video_ids.as_text(_id(record) or b'?')}) {text}"
        return Fault(kind, text)
  return None


def _vectors(record):
  """Returns the names of the floats and bytes of a whole video."""
  context = record.context.feature
  return [key for key in context if key not in (*_IDS, "labels", *RATINGS)
          and context[key].WhichOneof("kind") in ("float_list", "bytes_list")]


def _wrong_type(record, key, kind, expected=""):
  context = record.context.feature
  found = context[key].WhichOneof("kind") if key in context else None
  if found in (None, kind):
    return None
  return Fault("wrong types", f"has {_KINDS[found]} in {key}, expected "
               f"{expected or _KINDS[kind]}. {_REMEDY}")


def _not_finite(record, key, what=""):
  for index, value in enumerate(_values(record, key)):
    if not math.isfinite(value):
      name = video_ids.as_text(_id(record) or b"?")
      return Fault("values that are not finite", f"(id {name}) has {value} as value "
                   f"{index} of {what}{key}. {_REMEDY}")
  return None


def _id(record: Record) -> bytes:
  ids = [value for key in _IDS for value in _values(record, key)[:1] if value]
  return ids[0] if ids else b""


def _values(record: Record, key: str) -> Any:
  context = record.context.feature
  kind = context[key].WhichOneof("kind") if key in context else None
  return getattr(context[key], kind).value if kind else ()


def _names(features: Any) -> str:
  return ", ".join(sorted(features)) or "nothing"
