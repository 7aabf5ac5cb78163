# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the readers share inside the graph: names, ids, labels, and the check of both.

While all is well a check costs one reduction. In a data set it ends in words, by way of
`diagnosis`; in a SavedModel, which holds no Python, it only says which record is bad.
"""

import tensorflow as tf

ID_FEATURES = {"id": tf.io.FixedLenFeature([], tf.string, default_value=""),
               "video_id": tf.io.FixedLenFeature([], tf.string, default_value="")}
LABEL_FEATURES = {"labels": tf.io.VarLenFeature(tf.int64)}


def record_names(files, file_index, record_number):
  """Returns `"<file>, record <number>"` for each row, as errors begin."""
  return tf.strings.join([tf.gather(tf.convert_to_tensor(files), file_index), ", record ",
                          tf.strings.as_string(record_number)])


def stop_explaining(serialized, names, explain):
  """Returns a check that stops with the name and the fault of the first bad record.

  Args:
    serialized: (batch_size,) records.
    names: (batch_size,) what to call them.
    explain: function from a `tf.train.SequenceExample` to its fault, or to `""` if it
      is to pass all the same.

  Returns:
    A function from (batch_size,) bool, false for suspicious records, to an op that
    what needs good records must depend on. When that op runs on a bad record it raises
    `tf.errors.InvalidArgumentError`; see `records.clear_errors`.
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


def row_names(batch):
  """Returns what to call the records of a batch where no file is known."""
  rows = tf.strings.as_string(tf.range(tf.shape(batch)[0]))
  return tf.strings.join(["record ", rows, " of the batch"])


def stop(names, expected):
  """Returns a check like that of `stop_explaining`, which holds no Python.

  Args:
    names: (batch_size,) what to call the records.
    expected: what a good record has; all that the error says beside the name.
  """
  def check(good):
    bad = tf.boolean_mask(names, ~good)[:1]  # of none, if all are good
    return tf.debugging.Assert(
        tf.reduce_all(good), [tf.strings.join([bad, " is bad. Expected: ", expected])])
  return check


def video_ids(context):
  """Returns the (batch_size,) ids, from `id` or `video_id`, whichever is present."""
  return tf.where(tf.equal(context["id"], ""), context["video_id"], context["id"])


def valid_labels(labels, num_classes):
  """Returns (batch_size,) bool: whether all of a row of sparse labels are classes."""
  bad = (labels.values < 0) | (labels.values >= num_classes)
  return tf.equal(0, tf.math.unsorted_segment_sum(
      tf.cast(bad, tf.int32), labels.indices[:, 0], labels.dense_shape[0]))


def label_matrix(labels, num_classes):
  """Returns sparse sets of labels as a (batch_size, num_classes) bool matrix.

  Labels are a set: one that appears twice counts once. Class 0 is a label like any
  other, and nothing is padded with it.
  """
  return tf.tensor_scatter_nd_update(
      tf.zeros([labels.dense_shape[0], num_classes], tf.bool),
      tf.stack([labels.indices[:, 0], labels.values], axis=1),
      tf.ones_like(labels.values, tf.bool))
