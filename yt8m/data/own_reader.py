# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The base of readers of the user's own, for records with other keys or types."""

import abc
import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core.types import Batch
from yt8m.data import bad_records
from yt8m.data import diagnosis
from yt8m.data import parsing
from yt8m.data import reader_base

_KEYS = ("id", "features", "labels")
_NODES = re.compile(r"^\{\{.*?\}\} |\s*\[Op:\w+\].*$|Name: <unknown>, ")
_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


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
        labels: (n, C) zeros and ones; or the numbers of the classes, as a ragged or
          sparse tensor of whole numbers.
    """

  def check_features(self, files: Any, flag: str) -> None:
    """Checks what `parse` returns, without records: these may have any keys.

    Raises:
      ValueError: `parse` fails or returns something else, or calls Python.
    """
    graph = tf.function(self._rows, autograph=False).get_concrete_function(
        tf.TensorSpec([None], tf.string)).graph
    calls = {op.type for op in graph.get_operations()} & _PYTHON
    if calls:
      raise ValueError(
          f"{self._name} calls Python ({', '.join(sorted(calls))}), which no SavedModel "
          "can hold: parse with operations of TensorFlow only.")

  def explain(self, record: diagnosis.Record) -> diagnosis.Fault | None:
    """Explains why `parse` cannot use a record."""
    try:
      with tf.device("CPU:0"):
        rows, good = self._rows(tf.constant([record.SerializeToString()]))
    except tf.errors.OpError as error:
      return diagnosis.Fault(
          "faults that a reader found", f"cannot be parsed by {self._name} "
          f"({_plain(error)}). Correct the reader, or write the record again.")
    if good[0]:
      return None
    [video_id], [num_frames] = (rows[key].numpy() for key in ("id", "num_frames"))
    return diagnosis.Fault(
        "faults that a reader found", f"is parsed by {self._name} to the id "
        f"{video_id!r}, {num_frames} frames and "
        f"{tf.math.count_nonzero(rows['labels'])} labels; an id, finite features with "
        "num_frames frames, and labels from 0 to "
        f"{self.num_classes - 1} are needed.")

  def explain_labels(self, record: diagnosis.Record) -> diagnosis.Fault | None:
    """Explains why `parse_labels` cannot use a record."""
    return self.explain(record)

  def parse_ids(self, serialized: tf.Tensor, names: tf.Tensor) -> tf.Tensor:
    """Returns the ids of those of (batch_size,) records that have a name."""
    return self.parse_labels(serialized, names)[0]

  def parse_labels(self, serialized: tf.Tensor, names: tf.Tensor
                   ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns ids and labels of those records that have a name, and 0 for the number of
    repeated labels."""
    serialized, names = _named(serialized, names)
    parsed = self._parsed_by_user(serialized)
    ids = self._ids(parsed, None)
    labels, good = self._labels(parsed["labels"], None)
    check = parsing.check_explaining(serialized, names, self.explain_labels)
    with tf.control_dependencies([check(good & tf.not_equal(ids, ""))]):
      return tf.identity(ids), tf.identity(labels), tf.constant(0)

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples,
               skip_bad_records):
    def parsed(serialized, names):
      if skip_bad_records:  # The others are to be left out.
        serialized, names = _named(serialized, names)
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

  @property
  def _name(self) -> str:
    return f"{type(self).__name__}.parse"

  def _parsed_by_user(self, serialized: tf.Tensor) -> dict[str, Any]:
    """Calls `parse`; what fails in it, other than on a record, is a ValueError."""
    try:
      parsed = self.parse(serialized)
    except tf.errors.OpError:
      raise
    except Exception as error:  # Any: it is the code of a user.
      raise ValueError(f"{self._name} fails: {type(error).__name__}: "
                       f"{_plain(error)}") from error
    if not isinstance(parsed, dict) or not {*_KEYS} <= {*parsed} or not isinstance(
        parsed["features"], dict):
      raise ValueError(f"{self._name} must return a dictionary with {', '.join(_KEYS)}, "
                       "of which features is a dictionary.")
    return parsed

  def _rows(self, serialized: tf.Tensor) -> tuple[Batch, tf.Tensor]:
    """Returns the examples, and which of them are good."""
    parsed, size = self._parsed_by_user(serialized), serialized.shape[0]
    ids = self._ids(parsed, size)
    labels, good = self._labels(parsed["labels"], size)
    good &= tf.not_equal(ids, "")
    features = {name: self._feature(name, width, parsed["features"].get(name), size)
                for name, width in self.sizes.items()}
    num_frames = tf.ones_like(ids, tf.int32)
    if not self.spec.is_video_level:
      num_frames = self._num_frames(parsed.get("num_frames"), size)
      shortest = tf.reduce_min([tf.shape(x)[1] for x in features.values()])
      good &= (num_frames >= 0) & (
          tf.minimum(num_frames, self.max_frames) <= shortest)
      num_frames = tf.clip_by_value(num_frames, 1, self.max_frames)
      features = self._padded(features, num_frames)
    for x in features.values():
      if x.dtype.is_floating:
        good &= tf.reduce_all(tf.math.is_finite(x), axis=range(1, len(x.shape)))
    return {"id": ids, "features": features, "num_frames": num_frames,
            "labels": labels}, good

  def _ids(self, parsed: dict[str, Any], size: int | None) -> tf.Tensor:
    return self._tensor("id", parsed["id"], "text", lambda dtype: dtype == tf.string,
                        [size])

  def _num_frames(self, value: Any, size: int | None) -> tf.Tensor:
    if value is None:
      raise ValueError(f"{self._name} must return num_frames, the number of frames of "
                       "each video.")
    value = self._tensor("num_frames", value, "whole numbers",
                         lambda dtype: dtype.is_integer, [size])
    return tf.cast(tf.clip_by_value(tf.cast(value, tf.int64), -1, tf.int32.max),
                   tf.int32)

  def _feature(self, name: str, width: int, value: Any, size: int | None) -> tf.Tensor:
    if value is None:
      raise ValueError(f"{self._name} must return a feature {name} (--feature_names), "
                       "but returns none.")
    dtype = self.dtypes[name]
    shape = [size, width] if self.spec.is_video_level else [size, None, width]
    return self._tensor(f"feature {name}", value, f"{dtype} (--feature_dtypes)",
                        lambda found: found == dtype, shape)

  def _tensor(self, what: str, value: Any, kind: str, fits: Callable[[tf.DType], bool],
              shape: list[int | None]) -> tf.Tensor:
    """Returns a tensor of a shape, or raises a ValueError that names it."""
    try:
      if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
        raise TypeError(f"it is a {type(value).__name__}, and must be dense")
      tensor = tf.convert_to_tensor(value)
      if not fits(tensor.dtype):
        raise TypeError(f"it is of type {tensor.dtype.name}")
      return tf.ensure_shape(tensor, shape)
    except (TypeError, ValueError) as error:
      raise ValueError(
          f"{self._name} must return {what} as {kind} of the shape "
          f"{_shape_text(shape)}; {_plain(error)}.") from error

  def _labels(self, labels: Any, size: int | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the labels as (batch_size, num_classes) bool, and which rows are good."""
    if isinstance(labels, tf.RaggedTensor):
      labels = labels.to_sparse()
    if not isinstance(labels, tf.SparseTensor):
      labels = self._tensor("labels", labels, "zeros and ones", lambda dtype: (
          dtype == tf.bool or dtype.is_integer or dtype.is_floating),
          [size, self.num_classes])
      if labels.dtype == tf.bool:
        return labels, tf.fill(tf.shape(labels)[:1], True)
      ones = tf.equal(labels, 1)
      return ones, tf.reduce_all(ones | tf.equal(labels, 0), axis=1)
    if not labels.dtype.is_integer or len(labels.shape) != 2:
      raise ValueError(f"{self._name} must return the numbers of the classes as whole "
                       f"numbers, (batch_size, …), not {labels.dtype.name} of rank "
                       f"{len(labels.shape)}.")
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


def _named(serialized: tf.Tensor, names: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
  """Returns the records that have a name, and their names."""
  there = tf.not_equal(names, "")
  return serialized[there], names[there]


def _shape_text(shape: list[int | None]) -> str:
  batch, *others = ("any" if size is None else str(size) for size in shape)
  return f"({', '.join(['batch_size', *others])})"


def _plain(error: Exception) -> str:
  """Returns the first line of an error without TensorFlow's names of nodes."""
  text = getattr(error, "message", None) or str(error)
  line = next(iter(text.splitlines()), type(error).__name__)
  return _NODES.sub("", line).rstrip(".")
