# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Says in words what is wrong with a record, for the one record that stops a run.

The readers only find out in their graphs that something is wrong; these functions see
that record alone, as a protocol buffer, and can afford to look at everything. On the
wire an `Example` is a `SequenceExample` without feature lists, so records of every
level come here as `tf.train.SequenceExample`.

Each function returns one clause such as "has label 20, outside the 20 classes
(--num_classes).", or `""` if it finds nothing wrong.
"""


def explain_video(record, sizes, num_classes):
  """Explains what keeps `VideoLevelReader` from using a record.

  Args:
    record: the `tf.train.SequenceExample`.
    sizes: `{name: size}` of the features.
    num_classes: labels must be below.
  """
  context, lists = record.context.feature, record.feature_lists.feature_list
  for name, size in sizes.items():
    if name not in context:
      if lists:
        return (f"has no feature {name}, but frames of {_names(lists)}: these look like "
                "frame-level records: add --frame_features.")
      return f"has no feature {name}, only {_names(context)} (--feature_names)."
    found = len(context[name].float_list.value)
    if found != size:
      return f"has {found} values of feature {name}, expected {size} (--feature_sizes)."
  return explain_id_and_labels(record, num_classes)


def explain_frames(record, sizes, num_classes):
  """Explains what keeps `FrameLevelReader` from using a record."""
  return _explain_frames(record, sizes) or explain_id_and_labels(record, num_classes)


def explain_segments(record, sizes, num_classes):
  """Explains what keeps `SegmentReader` from using a record."""
  context = record.context.feature
  counts = [len(_values(context, f"segment_{name}"))
            for name in ("start_times", "labels", "scores")]
  if min(counts) != max(counts):
    return ("has {} segment_start_times, {} segment_labels and {} segment_scores: every "
            "rating needs one of each.").format(*counts)
  return (_explain_frames(record, sizes) or explain_id(record)
          or _explain_labels(record, "segment_labels", num_classes))


def explain_id_and_labels(record, num_classes):
  """Explains what keeps the id or the labels of a whole video from being used."""
  return explain_id(record) or _explain_labels(record, "labels", num_classes)


def explain_id(record):
  """Explains what keeps the id of a video from being used."""
  context = record.context.feature
  ids = _values(context, "id") or _values(context, "video_id")
  return "" if ids and ids[0] else "has neither id nor video_id."


def _explain_labels(record, key, num_classes):
  for label in _values(record.context.feature, key):
    if not 0 <= label < num_classes:
      return f"has label {label}, outside the {num_classes} classes (--num_classes)."
  return ""


def _explain_frames(record, sizes):
  lists = record.feature_lists.feature_list
  for name, size in sizes.items():
    if name not in lists:
      if not lists:
        return (f"has no frames of feature {name}, only {_names(record.context.feature)}:"
                " these look like video-level records: drop --frame_features.")
      return f"has no feature list {name}, only {_names(lists)} (--feature_names)."
    for frame, feature in enumerate(lists[name].feature):
      found = sum(len(value) for value in feature.bytes_list.value)
      if found != size:
        return (f"has {found} bytes in frame {frame} of feature {name}, expected {size} "
                "(--feature_sizes).")
  return ""


def _values(context, key):
  kind = context[key].WhichOneof("kind") if key in context else None
  return getattr(context[key], kind).value if kind else ()


def _names(features):
  return ", ".join(sorted(features)) or "nothing"
