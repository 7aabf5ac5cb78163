# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One record, taken apart without knowing its features."""

import dataclasses
import hashlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import message

from yt8m.core import feature_spec

_IDS = ("id", "video_id")
_LABELS = "labels"
_RATINGS = ("segment_start_times", "segment_end_times", "segment_labels",
            "segment_scores")


@dataclasses.dataclass(frozen=True)
class Values:
  """The values of a feature in a record.

  Attributes:
    array: Values, (num_frames, size), at video level (1, size): bytes as uint8, floats
      as float32. None if frames have several sizes or kinds.
    sizes: Sizes of the frames: numbers of bytes or of floats.
    in_bytes: Whether the frames are byte strings.
    num_frames: Number of frames; 1 at video level.
  """
  array: np.ndarray | None
  sizes: frozenset[int]
  in_bytes: bool
  num_frames: int


@dataclasses.dataclass(frozen=True)
class Contents:
  """What a record holds.

  Attributes:
    level: One of `feature_spec.LEVELS`.
    video_id: Id; empty if there is none.
    labels: Class numbers of the whole video; None without the key.
    ratings: Class numbers of the rated segments.
    features: Values of the features, by name.
    keys: All keys of the record, those of its lists included.
    fault: What makes the record useless, or `""`.
  """
  level: str
  video_id: bytes
  labels: Sequence[int] | None
  ratings: Sequence[int]
  features: Mapping[str, Values]
  keys: frozenset[str]
  fault: str = ""

  @property
  def digest(self) -> int:
    """A number that tells the values of the features from others, 64 bits."""
    state = hashlib.blake2b(digest_size=8)
    for name, values in sorted(self.features.items()):
      state.update(name.encode())
      if values.array is not None:
        state.update(np.ascontiguousarray(values.array).data)
    return int.from_bytes(state.digest(), "little")


def of_record(serialized: bytes) -> Contents:
  """Takes a record apart; one that is no protocol buffer has a fault and nothing else."""
  try:
    record = tf.train.SequenceExample.FromString(serialized)
  except message.DecodeError:
    return Contents(feature_spec.VIDEO, b"", None, [], {}, frozenset(),
                    "is no tf.train.Example or SequenceExample")
  context, lists = record.context.feature, record.feature_lists.feature_list
  video_id, labels, faults = b"", None, []
  for key in _IDS:
    if key in context:
      values = _of_kind(context[key], "bytes_list")
      if values is None or len(values) > 1:
        faults.append(f"has no single text in {key}")
      elif values and values[0]:
        video_id = video_id or values[0]
  if _LABELS in context:
    found = _of_kind(context[_LABELS], "int64_list")
    if found is None:
      faults.append("has no whole numbers in labels")
    else:
      labels = list(found)
  ratings = (list(_of_kind(context["segment_labels"], "int64_list") or ())
             if "segment_labels" in context else [])
  if lists:
    level = feature_spec.SEGMENT if any(
        key in context for key in _RATINGS) else feature_spec.FRAME
    features = {name: _frames(frames.feature) for name, frames in lists.items()}
  else:
    level = feature_spec.VIDEO
    features = {name: _vector(values) for name, values in context.items()
                if values.WhichOneof("kind") == "float_list"}
  return Contents(level, video_id, labels, ratings, features,
                  frozenset([*context, *lists]), "; ".join(faults))


def _of_kind(feature: Any, kind: str) -> Any:
  """Returns the values of a feature; None if they are of another kind."""
  found = feature.WhichOneof("kind")
  return getattr(feature, kind).value if found in (None, kind) else None


def _vector(feature: Any) -> Values:
  array = np.array(feature.float_list.value, np.float32)[np.newaxis]
  # Without values, the feature is missing.
  return Values(array if array.size else None, frozenset([array.size]), False,
                int(array.size > 0))


def _frames(frames: Any) -> Values:
  texts = [frame.bytes_list.value[0] for frame in frames
           if len(frame.bytes_list.value) == 1]
  if len(texts) == len(frames):
    sizes = frozenset(map(len, texts))
    array = (np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1)
             if len(sizes) == 1 and 0 not in sizes else None)
    return Values(array, sizes, True, len(texts))
  floats = [np.array(frame.float_list.value, np.float32) for frame in frames]
  sizes = frozenset(map(len, floats))
  array = np.stack(floats) if len(sizes) == 1 and 0 not in sizes else None
  return Values(array, sizes, False, len(floats))
