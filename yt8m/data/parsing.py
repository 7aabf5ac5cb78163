# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The parts of parsing that the readers share: ids, labels, and checks in the graph.

A check costs one reduction as long as all records are good. In a dataset, the check of a
bad record calls `diagnosis` for a clear message. In a SavedModel, which holds no Python,
it only says which record is bad.
"""

from collections.abc import Callable

import tensorflow as tf

ID_FEATURES = {"id": tf.io.FixedLenFeature([], tf.string, default_value=""),
               "video_id": tf.io.FixedLenFeature([], tf.string, default_value="")}
LABEL_FEATURES = {"labels": tf.io.VarLenFeature(tf.int64)}

# Function from (batch_size,) bool, False for suspicious records, to an op. Whatever needs
# good records must depend on that op. On a bad record the op raises
# `tf.errors.InvalidArgumentError`; see `records.clear_errors`.
Check = Callable[[tf.Tensor], tf.Operation]


def check_explaining(serialized: tf.Tensor, names: tf.Tensor,
                     explain: Callable[[tf.train.SequenceExample], str]) -> Check:
  """Returns a check whose error has the name and the fault of the first bad record.

  Args:
    serialized: Records, (batch_size,) string.
    names: Names of the records in errors, (batch_size,) string.
    explain: Function from a record to its fault, or to `""` if it is good after all.
  """
  def first_fault(good, serialized, names):
    for row in (~good).nonzero()[0]:
      fault = explain(tf.train.SequenceExample.FromString(serialized[row]))
      if fault:
        return names[row] + b" " + fault.encode()
    return b""

  def check(good):
    def stop():
      fault = tf.numpy_function(
          first_fault, [good, serialized, names], tf.string, stateful=False)
      return tf.debugging.Assert(tf.equal(fault, ""), [fault])
    return tf.cond(tf.reduce_all(good), tf.no_op, stop)
  return check


def row_names(serialized: tf.Tensor) -> tf.Tensor:
  """Returns names for the records of a batch whose files are not known."""
  rows = tf.strings.as_string(tf.range(tf.shape(serialized)[0]))
  return tf.strings.join(["record ", rows, " of the batch"])


def check_plainly(names: tf.Tensor, expected: str) -> Check:
  """Returns a check without Python, for graphs that are saved.

  Args:
    names: Names of the records in errors, (batch_size,) string.
    expected: Description of a good record, for the error.
  """
  def check(good):
    bad = tf.boolean_mask(names, ~good)[:1]  # empty if all are good
    return tf.debugging.Assert(
        tf.reduce_all(good), [tf.strings.join([bad, " is bad. Expected: ", expected])])
  return check


def video_ids(context: dict[str, tf.Tensor]) -> tf.Tensor:
  """Returns the ids, (batch_size,), from `id` or `video_id`, whichever is present."""
  return tf.where(tf.equal(context["id"], ""), context["video_id"], context["id"])


def valid_labels(labels: tf.SparseTensor, num_classes: int) -> tf.Tensor:
  """Returns whether all labels of a row are classes, (batch_size,) bool."""
  bad = (labels.values < 0) | (labels.values >= num_classes)
  return tf.equal(0, tf.math.unsorted_segment_sum(
      tf.cast(bad, tf.int32), labels.indices[:, 0], labels.dense_shape[0]))


def label_matrix(labels: tf.SparseTensor, num_classes: int) -> tf.Tensor:
  """Returns sparse sets of labels as a (batch_size, num_classes) bool matrix.

  A label that appears twice counts once. Class 0 is a label like any other: nothing is
  padded with it.
  """
  return tf.tensor_scatter_nd_update(
      tf.zeros([labels.dense_shape[0], num_classes], tf.bool),
      tf.stack([labels.indices[:, 0], labels.values], axis=1),
      tf.ones_like(labels.values, tf.bool))
