# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ids, labels and checks in the graph."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import diagnosis
from yt8m.data import parsing
from yt8m.data import records


def sparse(rows):
  return tf.ragged.constant(rows, tf.int64, ragged_rank=1).to_sparse()


def test_label_matrix_is_a_set_and_knows_class_0():
  matrix = parsing.label_matrix(sparse([[0, 2], [], [1, 1, 1]]), 3)
  assert matrix.dtype == tf.bool
  np.testing.assert_array_equal(matrix, [[1, 0, 1], [0, 0, 0], [0, 1, 0]])


def test_label_matrix_of_a_batch_without_labels():
  assert not np.any(parsing.label_matrix(sparse([[], []]), 3))


def test_valid_labels():
  valid = parsing.valid_labels(sparse([[0, 2], [3], [], [1, -1]]), 3)
  np.testing.assert_array_equal(valid, [True, False, True, False])


def test_video_ids_come_from_whichever_is_present():
  context = {"id": tf.ragged.constant([["a"], [], [], ["c", "d"]], tf.string),
             "video_id": tf.ragged.constant([["x"], ["b"], [], []], tf.string)}
  assert list(parsing.video_ids(context).numpy()) == [b"a", b"b", b"", b"c"]
  assert list(parsing.valid_ids(context)) == [True, True, False, False]


class TestCheckExplaining:

  def run(self, good, explain):
    serialized = tf.constant([tf.train.SequenceExample().SerializeToString()] * len(good))
    names = tf.constant([f"record {i}" for i in range(len(good))])

    @tf.function
    def graph(good):
      check = parsing.check_explaining(serialized, names, explain)
      with tf.control_dependencies([check(good)]):
        return tf.reduce_sum(tf.cast(good, tf.int32))

    with records.clear_errors():
      return int(graph(tf.constant(good)))

  def test_asks_only_about_suspicious_records(self):
    assert self.run([True, True], lambda record: 1 / 0) == 2
    assert self.run([True, False], lambda record: None) == 1

  def test_stops_at_the_first_with_a_fault(self):
    answers = iter([None, diagnosis.Fault("kind", "is bad.")])
    with pytest.raises(records.RecordError, match="^record 2 is bad.$"):
      self.run([True, False, False], lambda record: next(answers))


def test_check_names_row_and_expectation():
  @tf.function
  def graph(good):
    check = parsing.check_plainly(parsing.row_names(good), "a 'label'.")
    with tf.control_dependencies([check(good)]):
      return tf.size(good)

  assert graph(tf.constant([True, True])) == 2
  assert graph(tf.zeros([0], tf.bool)) == 0
  with pytest.raises(records.RecordError, match="record 1 of the batch is bad. "
                     "Expected: a 'label'."), records.clear_errors():
    graph(tf.constant([True, False, False]))


def test_a_graph_without_python_refuses_what_is_doubtful():
  @tf.function
  def graph(doubtful):
    good = tf.ones_like(doubtful)
    check = parsing.check_plainly(parsing.row_names(good), "a feature.")
    with tf.control_dependencies([check(good, doubtful)]):
      return tf.size(good)

  assert graph(tf.constant([False, False])) == 2
  with pytest.raises(records.RecordError, match="record 1 of the batch is bad. "
                     "Expected: a feature."), records.clear_errors():
    graph(tf.constant([False, True]))
