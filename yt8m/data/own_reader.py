# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The base of readers of the user's own, for records with other keys or types."""

import abc
from typing import Any

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import fields
from yt8m.core.types import Batch
from yt8m.data import bad_records
from yt8m.data import diagnosis
from yt8m.data import parsing
from yt8m.data import reader_base

_KEYS = ("id", "features", "labels")


class OwnReader(reader_base.Reader):
  """Reads `tf.train.Example` or `SequenceExample` records as a subclass parses them.

  A subclass defines `parse`. What it returns is checked, cut to `max_frames` and padded,
  and all that the readers of this library do is done with it: an exact order in
  training, resuming, records that are left out, SavedModels that take records.

  Args:
    spec: Names, sizes and types of the features.
    num_classes: Number of classes, C.
    max_frames: Number of frames of a video that are kept, the first ones.
    pad_to_max_frames: Whether videos are padded to `max_frames`, for static shapes,
      instead of to the longest of a batch.
    of_model: Whether the spec is that of a trained model, for the advice in errors.
  """
  EXPECTED = "a record of the reader that the model was trained with."

  def __init__(self, spec: feature_spec.FeatureSpec, num_classes: int,
               max_frames: int = 300, pad_to_max_frames: bool = True,
               of_model: bool = False):
    super().__init__(spec, num_classes, of_model)
    self.max_frames, self.pad_to_max_frames = max_frames, pad_to_max_frames
    if not spec.is_video_level:
      self._record_bytes = max_frames * spec.frame_bytes

  @abc.abstractmethod
  def parse(self, serialized: tf.Tensor) -> dict[str, Any]:
    """Parses records with operations of TensorFlow, as a SavedModel will hold them.

    Args:
      serialized: Records, (n,) string; n may be 0.

    Returns:
      A dictionary:
        id: (n,) string.
        features: {name: (n, size)}, of frames {name: (n, num_frames, size)} with
          padding at the end, of the types in `self.dtypes`.
        num_frames: (n,) whole numbers; of frames only.
        labels: (n, C) zeros and ones, or the numbers of the classes as a ragged or
          sparse tensor.
    """

  def check_features(self, files: Any, flag: str) -> None:
    """Checks nothing: the records may have other keys."""

  def explain(self, record: diagnosis.Record) -> diagnosis.Fault | None:
    """Explains why `parse` cannot use a record."""
    name = type(self).__name__
    try:
      with tf.device("CPU:0"):
        rows, good = self._rows(tf.constant([record.SerializeToString()]))
    except (tf.errors.OpError, ValueError, TypeError) as error:
      return diagnosis.Fault(
          "faults that a reader found", f"cannot be parsed by {name}: "
          f"{fields.reason(error).splitlines()[0]}")
    if good[0]:
      return None
    [video_id], [num_frames] = (rows[key].numpy() for key in ("id", "num_frames"))
    return diagnosis.Fault(
        "faults that a reader found", f"is parsed by {name} to the id {video_id!r}, "
        f"{num_frames} frames and {tf.math.count_nonzero(rows['labels'])} labels; an id, "
        "finite features, no negative number of frames and labels from 0 to "
        f"{self.num_classes - 1} are needed.")

  def explain_labels(self, record: diagnosis.Record) -> diagnosis.Fault | None:
    """Explains why `parse_labels` cannot use a record."""
    return self.explain(record)

  def parse_ids(self, serialized: tf.Tensor, names: tf.Tensor) -> tf.Tensor:
    """Returns the ids of (batch_size,) records."""
    return self._parse_explaining(serialized, names)[0]["id"]

  def parse_labels(self, serialized: tf.Tensor, names: tf.Tensor
                   ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns ids, labels, and 0 for the number of repeated labels."""
    rows = self._parse_explaining(serialized, names)[0]
    return rows["id"], rows["labels"], tf.constant(0)

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples,
               skip_bad_records):
    def parsed(serialized, names):
      if skip_bad_records:  # The others are to be left out.
        there = tf.not_equal(names, "")
        serialized, names = serialized[there], names[there]
      return self._parse_explaining(serialized, names)[0]

    batches = map_named(dataset.batch(batch_size, drop_remainder), parsed)
    if not skip_bad_records:
      return batches
    batches = bad_records.drop_first(batches, skip_examples)
    if self.spec.is_video_level or self.pad_to_max_frames:
      return batches.rebatch(batch_size, drop_remainder)
    return batches.filter(lambda batch: tf.size(batch["id"]) > 0)

  def _parse(self, serialized: tf.Tensor, names: tf.Tensor, check: parsing.Check
             ) -> tuple[Batch, None]:
    rows, good = self._rows(serialized)
    with tf.control_dependencies([check(good)]):
      return tf.nest.map_structure(tf.identity, rows), None

  def _rows(self, serialized: tf.Tensor) -> tuple[Batch, tf.Tensor]:
    """Returns the examples, and which of them are good."""
    parsed, size = self.parse(serialized), serialized.shape[0]
    name = f"{type(self).__name__}.parse"
    if not isinstance(parsed, dict) or not {*_KEYS} <= {*parsed}:
      raise ValueError(f"{name} must return a dictionary with {', '.join(_KEYS)}.")
    ids = tf.ensure_shape(parsed["id"], [size])
    good = tf.not_equal(ids, "")
    num_frames = tf.ones_like(ids, tf.int32)
    if not self.spec.is_video_level:
      if "num_frames" not in parsed:
        raise ValueError(f"{name} must return num_frames, the number of frames of each "
                         "video.")
      num_frames = tf.ensure_shape(tf.cast(parsed["num_frames"], tf.int32), [size])
      good &= num_frames >= 0
      num_frames = tf.clip_by_value(num_frames, 1, self.max_frames)
    features = {}
    for feature, width in self.sizes.items():
      x: Any = parsed["features"].get(feature)
      if x is None or x.dtype != self.dtypes[feature]:
        found = "none" if x is None else f"one of type {x.dtype.name}"
        raise ValueError(
            f"{name} must return a feature {feature} of type {self.dtypes[feature]} "
            f"(--feature_names, --feature_dtypes), but returns {found}.")
      x = tf.ensure_shape(x, [size, width] if self.spec.is_video_level
                          else [size, None, width])
      if x.dtype.is_floating:
        good &= tf.reduce_all(tf.math.is_finite(x), axis=range(1, len(x.shape)))
      features[feature] = x
    labels, labels_are_good = self._labels(parsed["labels"], size)
    if not self.spec.is_video_level:
      features = self._padded(features, num_frames)
    return {"id": ids, "features": features, "num_frames": num_frames,
            "labels": labels}, good & labels_are_good

  def _labels(self, labels: Any, size: int | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the labels as (batch_size, num_classes) bool, and which rows are good."""
    if isinstance(labels, tf.RaggedTensor):
      labels = labels.to_sparse()
    if not isinstance(labels, tf.SparseTensor):
      labels = tf.ensure_shape(labels, [size, self.num_classes])
      if labels.dtype == tf.bool:
        return labels, tf.fill(tf.shape(labels)[:1], True)
      ones = tf.equal(labels, 1)
      return ones, tf.reduce_all(ones | tf.equal(labels, 0), axis=1)
    labels = tf.cast(labels, tf.int64)
    good = parsing.valid_labels(labels, self.num_classes)
    inside = (labels.values >= 0) & (labels.values < self.num_classes)
    matrix = parsing.label_matrix(tf.sparse.retain(labels, inside), self.num_classes)
    return tf.ensure_shape(matrix, [size, self.num_classes]), good

  def _padded(self, features: dict[str, tf.Tensor], num_frames: tf.Tensor
              ) -> dict[str, tf.Tensor]:
    """Returns frames of one length, with zeros after `num_frames`."""
    length = (self.max_frames if self.pad_to_max_frames
              else tf.maximum(tf.reduce_max(num_frames), 1))  # A batch may be empty.
    exists = tf.sequence_mask(num_frames, length)[:, :, tf.newaxis]

    def padded(x):
      x = x[:, :length]
      x = tf.pad(x, tf.convert_to_tensor(
          [[0, 0], [0, length - tf.shape(x)[1]], [0, 0]]))
      return tf.where(exists, x, tf.zeros([], x.dtype))

    return {name: padded(x) for name, x in features.items()}
