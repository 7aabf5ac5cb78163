# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Records with rated segments: as examples, and as ratings alone."""

import functools
import math

import numpy as np
import tensorflow as tf

from tests.fuzz import record_targets
from tests.fuzz import target
from yt8m.core import feature_spec
from yt8m.data import readers
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.eval.metrics import segment_labels

_NUM_CLASSES, _MAX_FRAMES = 9, 7
_SIZES = {"rgb": 3, "audio": 2}
_RATINGS = {"segment_start_times": "int64_list", "segment_labels": "int64_list",
            "segment_scores": "float_list"}


def _example(video_id, num_frames, ratings):
  rng = np.random.default_rng(num_frames)
  return record_targets.framed(tfrecords.segment_example(video_id, [0, 8], {
      name: rng.integers(0, 256, (num_frames, size), np.uint8)
      for name, size in _SIZES.items()}, ratings).SerializeToString(deterministic=True))


_SEEDS = (_example("DiRU", 8, [(0, 3, 1.0), (5, 3, 0.0), (5, 1, 1.0), (5, 3, 0.25)]),
          _example("é", 3, [(0, 7, 0.5)]))


@functools.cache
def _parser():
  reader = readers.make_reader(
      feature_spec.FeatureSpec(tuple(_SIZES), tuple(_SIZES.values()), "segment"),
      _NUM_CLASSES, _MAX_FRAMES)
  return reader, tf.function(reader._parse_explaining, input_signature=[
      tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.string)])


def _read_segments(path):
  with open(path, "rb") as file:
    data = record_targets.unframed(file.read())
  reader, parse = _parser()
  with records.clear_errors(reader.explain, [path]):
    batch, _ = parse([data], [f"{path}, record 0"])
  batch = tf.nest.map_structure(lambda x: x.numpy(), batch)
  return [
      (video_id, int(start), int(count),
       {int(label): float(batch["labels"][row, label])
        for label in np.flatnonzero(batch["label_weights"][row])},
       {name: x[row, :count].tolist() for name, x in batch["features"].items()})
      for row, (video_id, start, count) in enumerate(zip(
          batch["id"], batch["segment_start_times"], batch["num_frames"], strict=True))]


def _expected_ratings(record):
  """Returns the valid ratings (start, class, score) of a record."""
  context, lists = record.context.feature, []
  for name, kind in _RATINGS.items():
    found = context[name].WhichOneof("kind") if name in context else None
    assert found in (None, kind), found
    lists.append(list(getattr(context[name], kind).value))
  assert all(map(math.isfinite, lists[2]))
  return list(zip(*lists, strict=True))


def _expected_segments(data):
  record = record_targets.parsed(data)
  video_id = record_targets.expected_id(record)
  ratings = _expected_ratings(record)
  assert all(0 <= label < _NUM_CLASSES for _, label, _ in ratings)
  features = {name: record_targets.expected_frames(record, name, size)
              for name, size in _SIZES.items()}
  num_frames = min([len(x) for x in features.values() if x] or [0])
  num_frames = min(num_frames, _MAX_FRAMES)
  segments = {}
  for start, label, score in ratings:
    if 0 <= start < num_frames:
      segments.setdefault(start, {})[label] = score
  return [(video_id, start, min(5, num_frames - start), dict(sorted(scores.items())),
           {name: (x or [[0] * _SIZES[name]] * num_frames)[start:num_frames][:5]
            for name, x in features.items()}) for start, scores in segments.items()]


def _expected_rated(data):
  record, rated = record_targets.parsed(data), {}
  ratings = _expected_ratings(record)
  assert ratings
  name = target.escaped(record_targets.expected_id(record))
  for start, label, score in ratings:
    rated.setdefault(label, {})[f"{name}:{start}"] = score
  return rated


TARGETS = (
    target.Target(
        name="segment record", seeds=_SEEDS, mutate=record_targets.mutate_record,
        file="input.tfrecord", share=0.4, read=_read_segments,
        expected=_expected_segments),
    target.Target(
        name="ratings of records", seeds=_SEEDS, mutate=record_targets.mutate_record,
        file="input.tfrecord", share=0.02, read=segment_labels.read_rated_segments,
        expected=_expected_rated),
)
