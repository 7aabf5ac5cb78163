# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The base of the Keras metrics: an accumulator in the memory of the host.

It is no variable: the number of predictions that GAP needs grows with every batch, and a
variable of Keras has one shape. A graph reaches it by `tf.py_function`.
"""

import abc
import math
import threading
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import compat
from yt8m.eval.metrics.ranking import RankedBatch
from yt8m.eval.metrics.streaming import TOP_K
from yt8m.models.layers import base

keras = tf.keras

# Replicas of one process add their batches at the same time.
_LOCK = threading.Lock()

# Their batches, or parts of a batch, are in several processes.
_SEVERAL_PROCESSES = (tf.distribute.MultiWorkerMirroredStrategy,
                      tf.distribute.TPUStrategy,
                      tf.distribute.experimental.ParameterServerStrategy)


class HostMetric(base.Configured, keras.metrics.Metric, abc.ABC):
  """Base of the metrics: an accumulator in the memory of the host.

  Update arguments:
    y_true: Labels, (batch_size, num_classes), positive where > 0, also if they are soft.
    y_pred: Scores, (batch_size, num_classes).
    sample_weight: 1 for a video that counts and 0 for padding, (batch_size,); padding may
      hold NaN. Or weights of labels, (batch_size, num_classes), which multiply the
      scores, so that a class that is not rated counts as not predicted; a video whose
      weights are all 0 is padding. None counts every video.

  `update_state` raises a ValueError if the shapes do not match, a score is NaN or a
  weight of a video is neither 0 nor 1 (tf.errors.InvalidArgumentError in a graph).
  """

  top_k = TOP_K
  _exact_in_graph: float = math.inf

  def __init__(self, name: str, **kwargs: Any):
    super().__init__(name=name, **kwargs)
    self._order = None
    self._clear()

  @abc.abstractmethod
  def _make(self, num_classes: int) -> Any:
    """Returns an empty accumulator."""

  def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
    """Adds a batch."""
    y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
    if y_true.dtype != tf.bool:
      y_true = y_true > tf.zeros([], y_true.dtype)
    if y_pred.dtype != tf.float64:
      y_pred = tf.cast(y_pred, tf.float32)
    arguments = [y_true, y_pred]
    if sample_weight is not None:
      arguments.append(tf.cast(sample_weight, tf.float32))
    self._on_host(self._add, arguments, tf.int64)

  def result(self) -> tf.Tensor:
    """Returns the metric of all videos, a scalar; 0 if there are none."""
    slack = 0.0 if tf.executing_eagerly() else 1 / 8
    value = self._on_host(lambda: self._value(slack), [], tf.float64)
    return tf.cast(value, self.dtype)

  def reset_state(self) -> None:
    """Discards everything accumulated so far."""
    self._on_host(self._clear, [], tf.int64)

  def merge_state(self, metrics: Iterable["HostMetric"]) -> None:
    """Adds everything that other metrics accumulated; call it outside `tf.function`.

    Raises:
      ValueError: A metric is of another type, or has other arguments or classes.
    """
    for metric in metrics:
      if type(metric) is not type(self) or metric._arguments() != self._arguments():
        raise ValueError(f"Cannot merge {metric!r} into {self!r}: both must be of one "
                         "type and have the same arguments.")
      if metric._accumulator is None:
        continue
      with _LOCK:
        self._accumulator_of(metric._num_classes).merge(metric._accumulator)
        self._num_counted = 0

  def __deepcopy__(self, memo: dict[int, Any]) -> "HostMetric":
    copied = type(self).from_config(self.get_config())
    memo[id(self)] = copied
    copied.merge_state([self])
    return copied

  def _arguments(self):
    return {name: value for name, value in self.get_config().items() if name != "name"}

  def _on_host(self, function: Callable, arguments: list[tf.Tensor], dtype: tf.DType
               ) -> Any:
    """Calls a function of arrays, now or in every call of the graph."""
    if isinstance(tf.distribute.get_strategy(), _SEVERAL_PROCESSES):
      raise ValueError(
          f"Metric {self.name!r} counts the videos of one process, but "
          f"{type(tf.distribute.get_strategy()).__name__} uses several. Evaluate "
          "checkpoints with yt8m-eval instead, whose workers merge their metrics.")
    if tf.executing_eagerly():
      return function(*(argument.numpy() for argument in arguments))
    if compat.is_compiled_by_xla():
      raise ValueError(
          f"Metric {self.name!r} keeps its predictions on the host, which XLA cannot "
          "reach: call model.compile(…, jit_compile=False).")
    # TensorFlow calls functions of the host in any order, unless they share a resource:
    # this one is never used, and no strategy makes copies of it.
    with tf.init_scope():
      if self._order is None:
        self._order = tf.queue.FIFOQueue(1, tf.bool)
    value = tf.py_function(
        lambda _, *arguments: function(*(argument.numpy() for argument in arguments)),
        [self._order.queue_ref, *arguments], dtype)
    return tf.ensure_shape(value, [])

  def _add(self, labels, predictions, weights=None):
    mask = None
    if weights is not None:
      predictions, mask = self._weighted(predictions, weights)
    batch = RankedBatch(predictions, labels, self.top_k, mask, self._num_classes,
                        f"Metric {self.name!r}")
    if len(batch):
      with _LOCK:
        self._accumulator_of(labels.shape[1]).add(batch)
    return np.int64(len(batch))

  def _weighted(self, predictions, weights):
    if weights.ndim == 2 and weights.shape[1] != 1:
      if weights.shape != predictions.shape:
        raise ValueError(
            f"Metric {self.name!r}: sample_weight {weights.shape} must be (batch_size,) "
            f"or as y_pred, {predictions.shape}.")
      return predictions * weights, weights.any(axis=1)
    weights = np.broadcast_to(weights.ravel() if weights.ndim else weights,
                              len(predictions))
    if (wrong := (weights != 0) & (weights != 1)).any():
      row = np.argmax(wrong)
      raise ValueError(
          f"Metric {self.name!r}: sample_weight of row {row} is {weights[row]:g}, but a "
          "video counts once (1) or is padding (0). Metrics in compile(metrics=…) "
          "instead of weighted_metrics get no weights.")
    return predictions, weights == 1

  def _accumulator_of(self, num_classes):
    if self._accumulator is None:
      self._accumulator, self._num_classes = self._make(num_classes), num_classes
    if self._num_classes != num_classes:
      raise ValueError(f"Cannot merge metric {self.name!r} of {num_classes} classes into "
                       f"one of {self._num_classes}.")
    return self._accumulator

  def _value(self, slack):
    """Returns a value that leaves out at most a share `slack` of many videos."""
    with _LOCK:
      if self._accumulator is None:
        return np.float64(0)
      num_examples = self._accumulator.num_examples
      if num_examples <= self._exact_in_graph:
        slack = 0.0
      if num_examples - self._num_counted > slack * num_examples:
        self._last_value = np.float64(self._accumulator.value())
        self._num_counted = num_examples
      return self._last_value

  def _clear(self):
    with _LOCK:
      self._accumulator, self._num_classes = None, None
      self._last_value, self._num_counted = np.float64(0), 0
    return np.int64(0)
