# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Any record, as yt8m-inspect takes it apart: nothing is refused."""

import tensorflow as tf
from google.protobuf import message

from tests.fuzz import record_targets
from tests.fuzz import target
from yt8m.inspecting import contents
from yt8m.inspecting import findings
from yt8m.inspecting import inspection
from yt8m.inspecting import report


def _read(path):
  with open(path, "rb") as file:
    data = record_targets.unframed(file.read())
  found = inspection.Inspection([path])
  record = contents.of_record(data)
  found.add(record, 0, 0)
  found.finish()
  text = "\n".join([report.section("set", found, 1, None),
                    report.as_list(findings.of_set(found, 6))])
  if not all(line.isprintable() for line in text.split("\n")):
    raise AssertionError(text)
  return ("protocol buffer" if record.keys or not record.fault else "", record.video_id,
          None if record.labels is None else list(record.labels))


def _expected(data):
  try:
    record = tf.train.SequenceExample.FromString(record_targets.unframed(data))
  except message.DecodeError:
    return "", b"", None
  context = record.context.feature
  ids = [list(context[key].bytes_list.value) for key in ("id", "video_id")
         if key in context]
  ids = [values[0] for values in ids if len(values) == 1 and values[0]]
  labels = context["labels"] if "labels" in context else None
  is_list = labels is not None and labels.WhichOneof("kind") in (None, "int64_list")
  return "protocol buffer", (ids or [b""])[0], (
      list(labels.int64_list.value) if is_list else None)


TARGETS = tuple(target.Target(
    name=f"{level} record (yt8m-inspect)", mutate=record_targets.mutate_record,
    file="input.tfrecord", share=0.4, seeds=record_targets.seeds(level), read=_read,
    expected=_expected, takes_all=True) for level in ("video", "frame"))
