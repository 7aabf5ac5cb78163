# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Explains what is wrong with a bad record.

The graphs of the readers only notice that something is wrong. These functions look at
the one record that stops a run, as a protocol buffer. The bytes of an `Example` are
those of a `SequenceExample` without feature lists, so records of every level come here
as `tf.train.SequenceExample`.

Each function returns a clause such as "has label 20, outside the 20 classes
(--num_classes).", or `""` if it finds nothing wrong.
"""

from typing import Any
from typing import TypeAlias

import tensorflow as tf

Record: TypeAlias = tf.train.SequenceExample
Sizes = dict[str, int]  # number of values of each feature, by its name


def explain_video(record: Record, sizes: Sizes, num_classes: int) -> str:
  """Explains why `VideoLevelReader` cannot use a record.

  Args:
    record: The record.
    sizes: `{name: size}` of the features.
    num_classes: Number of classes, C.
  """
  context, lists = record.context.feature, record.feature_lists.feature_list
  for name, size in sizes.items():
    if name not in context:
      if lists:
        return (f"has no feature {name}, but frames of {_names(lists)}. If these are "
                "frame-level records, add --frame_features, or name video-level ones.")
      return f"has no feature {name}, only {_names(context)} (--feature_names)."
    num_values = len(context[name].float_list.value)
    if num_values != size:
      return (f"has {num_values} values of feature {name}, expected {size} "
              "(--feature_sizes).")
  return explain_id_and_labels(record, num_classes)


def explain_frames(record: Record, sizes: Sizes, num_classes: int) -> str:
  """Explains why `FrameLevelReader` cannot use a record."""
  return _explain_frames(record, sizes) or explain_id_and_labels(record, num_classes)


def explain_segments(record: Record, sizes: Sizes, num_classes: int) -> str:
  """Explains why `SegmentReader` cannot use a record."""
  counts = [len(_values(record, f"segment_{name}"))
            for name in ("start_times", "labels", "scores")]
  if min(counts) != max(counts):
    return ("has {} segment_start_times, {} segment_labels and {} segment_scores: every "
            "rating needs one of each.").format(*counts)
  return (_explain_frames(record, sizes) or explain_id(record)
          or _explain_labels(record, "segment_labels", num_classes))


def explain_id_and_labels(record: Record, num_classes: int) -> str:
  """Explains why the id or the labels of a whole video cannot be used."""
  return explain_id(record) or _explain_labels(record, "labels", num_classes)


def explain_id(record: Record) -> str:
  """Explains why the id of a video cannot be used."""
  ids = _values(record, "id") or _values(record, "video_id")
  return "" if ids and ids[0] else "has neither id nor video_id."


def _explain_labels(record, key, num_classes):
  for label in _values(record, key):
    if not 0 <= label < num_classes:
      return f"has label {label}, outside the {num_classes} classes (--num_classes)."
  return ""


def _explain_frames(record, sizes):
  lists = record.feature_lists.feature_list
  for name, size in sizes.items():
    if name not in lists:
      if not lists:
        return (f"has no frames of feature {name}, only {_names(record.context.feature)}."
                " If these are video-level records, drop --frame_features.")
      return f"has no feature list {name}, only {_names(lists)} (--feature_names)."
    for frame, feature in enumerate(lists[name].feature):
      num_bytes = sum(len(value) for value in feature.bytes_list.value)
      if num_bytes != size:
        return (f"has {num_bytes} bytes in frame {frame} of feature {name}, expected "
                f"{size} (--feature_sizes).")
  return ""


def _values(record: Record, key: str) -> Any:
  context = record.context.feature
  kind = context[key].WhichOneof("kind") if key in context else None
  return getattr(context[key], kind).value if kind else ()


def _names(features: Any) -> str:
  return ", ".join(sorted(features)) or "nothing"
