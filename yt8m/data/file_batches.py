# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The batches of one file after another, without a new pipeline for each."""

import collections
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from yt8m.core import files
from yt8m.core.types import Batch


class FileBatches:
  """A function from the path of a file to an iterator over its batches.

  Starting a `tf.data` pipeline of a reader takes 0.16 s of processor time (two cores);
  another file in a running pipeline takes 7 ms. So a pipeline that has reached the end
  of a file waits for the next path. There are as many pipelines as files that are read
  at the same time, from any threads. A pipeline that raised an error is not used again.

  Args:
    pipeline: Function from a path, a scalar tensor, and its kind, to a dataset of
      batches.
    kind: Function from a path to the kind of the file. Each kind has pipelines of its
      own. Default: whether it is remote.
  """

  def __init__(self, pipeline: Callable[[tf.Tensor, Any], tf.data.Dataset],
               kind: Callable[[str], Hashable] = files.is_remote):
    self._pipeline, self._kind = pipeline, kind
    self._idle = collections.defaultdict(collections.deque)  # by kind

  def __call__(self, path: str) -> Iterator[Batch]:
    kind = self._kind(path)
    try:
      running = self._idle[kind].pop()
    except IndexError:
      running = _start(lambda path: self._pipeline(path, kind))
    yield from running(path)
    self._idle[kind].append(running)


def _start(pipeline):
  """Starts a pipeline; returns a function from the path of its next file to batches."""
  # A queue of TensorFlow's: for a Python generator, TensorFlow warns at exit.
  paths = tf.queue.FIFOQueue(1, tf.string, shapes=[[]])

  def mark_end(path):
    batches = pipeline(path)
    end = tf.nest.map_structure(_without_rows, batches.element_spec)
    return batches.map(lambda batch: (batch, False)).concatenate(
        tf.data.Dataset.from_tensors((end, True)))

  dataset = tf.data.Dataset.range(2**62).map(
      lambda _: paths.dequeue()).flat_map(mark_end)
  options = tf.data.Options()
  # Prefetching would ask for the next path before there is one.
  options.experimental_optimization.inject_prefetch = False
  marked_batches = iter(dataset.with_options(options))

  def batches_of(path):
    paths.enqueue(path)
    for batch, ended in marked_batches:
      if ended:
        return
      yield batch
  return batches_of


def _without_rows(spec):
  return tf.zeros([size or 0 for size in spec.shape], spec.dtype)
