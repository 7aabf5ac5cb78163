# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Memory is used again only when nothing refers to it any more."""

import gc

import numpy as np
import tensorflow as tf

from yt8m.data import buffers


def address(array):
  return array.__array_interface__["data"][0]


def test_memory_is_used_again_when_no_view_is_left():
  pool = buffers.Buffers(4096)
  first = pool.array((4, 8), "float32")
  place, view = address(first), first[1:, 2:]
  assert place % 64 == 0 and first.shape == (4, 8) and first.dtype == np.float32
  del first
  other = pool.array((16, 16), "uint8")
  assert address(other) != place  # A view is still there.
  view[:] = 1
  del view
  gc.collect()
  assert address(pool.array((3,), "uint8")) == place


def test_arrays_that_do_not_fit_are_new():
  pool = buffers.Buffers(8)
  assert pool.array((3, 0), "uint8").shape == (3, 0)
  assert pool.array((3, 3), "float32").shape == (3, 3)


def test_tensors_keep_their_values():
  pool, kept = buffers.Buffers(2**20), []

  def fill(value):
    array = pool.array((2**18,), "float32")
    array[:] = value
    return array

  dataset = tf.data.Dataset.range(60).map(
      lambda i: tf.numpy_function(fill, [i], tf.float32), num_parallel_calls=4)
  for number, tensor in enumerate(dataset.prefetch(4)):
    if number % 3 == 0:
      kept.append((number, tensor, tensor[:5]))
  for number, tensor, part in kept:
    assert tf.reduce_all(tensor == number) and tf.reduce_all(part == number)
