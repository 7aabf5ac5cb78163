# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The parts of parsing that the readers share: ids, labels, and checks in the graph.

A check costs one reduction as long as all records are good. In a dataset, the check of a
bad record calls `diagnosis` for a clear message. In a SavedModel, which holds no Python,
it only says which record is bad, and what is expected.
"""

from typing import Protocol

import tensorflow as tf

from yt8m.data import diagnosis

# Ragged, because TensorFlow's error for an id that appears twice names no record.
ID_FEATURES = {"id": tf.io.RaggedFeature(tf.string),
               "video_id": tf.io.RaggedFeature(tf.string)}
LABEL_FEATURES = {"labels": tf.io.VarLenFeature(tf.int64)}


class Check(Protocol):
  """A check of the records of a batch."""

  def __call__(self, good: tf.Tensor, doubtful: tf.Tensor | None = None) -> tf.Operation:
    """Returns an op that raises an error if a record is bad; see `records.clear_errors`.

    Whatever needs good records must depend on that op.

    Args:
      good: Whether a record is good; suspicious otherwise, (batch_size,) bool.
      doubtful: Whether a record has none of the features. It may be of the other level,
        which only Python can tell. A graph without Python refuses it: it cannot warn that
        a video counts as zeros. None: none of them.
    """
    ...


def check_explaining(serialized: tf.Tensor, names: tf.Tensor,
                     explain: diagnosis.Explain) -> Check:
  """Returns a check whose error has the name and the fault of the first bad record.

  Args:
    serialized: Records, (batch_size,) string.
    names: Names of the records in errors, (batch_size,) string. A row without a name is
      empty space, and never bad.
    explain: Function from a record to its fault, or to None if it is good after all.
  """
  def first_fault(suspicious, serialized, names):
    for row in suspicious.nonzero()[0]:
      fault = diagnosis.examine(serialized[row], explain)
      if fault:
        return names[row] + b" " + fault.text.encode()
    return b""

  def check(good, doubtful=None):
    suspicious = ~good if doubtful is None else ~good | doubtful
    suspicious &= tf.not_equal(names, "")

    def stop():
      fault = tf.numpy_function(
          first_fault, [suspicious, serialized, names], tf.string, stateful=False)
      return tf.debugging.Assert(tf.equal(fault, ""), [fault])
    return tf.cond(tf.reduce_any(suspicious), stop, tf.no_op)
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
  def check(good, doubtful=None):
    good = good if doubtful is None else good & ~doubtful
    bad = tf.boolean_mask(names, ~good)[:1]  # empty if all are good
    return tf.debugging.Assert(
        tf.reduce_all(good), [tf.strings.join([bad, " is bad. Expected: ", expected])])
  return check


def video_ids(context: dict[str, tf.RaggedTensor]) -> tf.Tensor:
  """Returns the ids, (batch_size,), from `id` or `video_id`, whichever is present."""
  first, other = (context[key].to_tensor("", shape=[None, 1])[:, 0]
                  for key in ID_FEATURES)
  return tf.where(tf.equal(first, ""), other, first)


def valid_ids(context: dict[str, tf.RaggedTensor]) -> tf.Tensor:
  """Returns whether a row has an id, and neither key has several, (batch_size,) bool."""
  valid = tf.not_equal(video_ids(context), "")
  for key in ID_FEATURES:
    valid &= context[key].row_lengths() <= 1
  return valid


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
  return tf.scatter_nd(  # One pass; an update of zeros takes two.
      tf.stack([labels.indices[:, 0], labels.values], axis=1),
      tf.ones_like(labels.values, tf.bool),
      tf.stack([labels.dense_shape[0], tf.constant(num_classes, tf.int64)]))
