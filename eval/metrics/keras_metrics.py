# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Hit@k, PERR, GAP and mAP as Keras metrics, for `compile(metrics=…)`.

They keep what `EvaluationMetrics` keeps, in the same accumulators, so that their values
are equal. The accumulators are arrays in the memory of the host, not variables: the
number of predictions that GAP needs grows with every batch, and a variable of Keras has
one shape. A graph reaches them by `tf.py_function`.
"""

import math
import threading
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import compat
from yt8m.eval.metrics import accumulators
from yt8m.eval.metrics.ranking import RankedBatch
from yt8m.eval.metrics.streaming import TOP_K
from yt8m.models.layers import base

keras = tf.keras

# A graph that reads the metric after every batch, as `fit` does for its progress bar,
# would sort all predictions every time. Beyond this number of videos it reads a value
# that leaves out up to one eighth of the videos, which makes the cost proportional to
# their number. Read eagerly, as `fit` and `evaluate` do in the end, the value is exact.
_EXACT_IN_GRAPH = 10_000

# Replicas of one process add their batches at the same time.
_LOCK = threading.Lock()

# Their batches, or parts of a batch, are in several processes.
_SEVERAL_PROCESSES = (tf.distribute.MultiWorkerMirroredStrategy,
                      tf.distribute.TPUStrategy,
                      tf.distribute.experimental.ParameterServerStrategy)


class HostMetric(base.Configured, keras.metrics.Metric):
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

  def _make(self, num_classes: int) -> Any:
    """Returns an empty accumulator."""
    raise NotImplementedError

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


class HitAtK(HostMetric):
  """Hit@k: the share of videos with a label among their k best classes.

      Hit@k = Σ_videos [a label is among the k best classes] / videos

  A video without labels counts as a miss. Of equal scores, the lower class ranks first.

  >>> from yt8m.eval.metrics import keras_metrics
  >>> metric = keras_metrics.HitAtK(k=2)
  >>> metric.update_state([[1, 0, 0], [0, 0, 1]], [[0.2, 0.9, 0.1], [0.3, 0.2, 0.1]])
  >>> float(metric.result())
  0.5

  Args:
    k: Number of classes, k; more than num_classes means all.
    name: Name in logs. Default: `hit_at_1` for k = 1.

  Source: YouTube-8M starter code, `eval_util.calculate_hit_at_one`, with k = 1.
  """

  def __init__(self, k: int = 1, name: str | None = None, **kwargs: Any):
    super().__init__(name=name or f"hit_at_{k}", **kwargs)
    self.k = self.top_k = _at_least_one("k", k)

  def _make(self, num_classes: int) -> accumulators.HitRate:
    return accumulators.HitRate(self.k)


class PrecisionAtEqualRecall(HostMetric):
  """PERR: the mean precision of the n best classes of a video with n labels.

      PERR = Σ_videos hits(n best classes with a score > 0) / max(n, 1) / videos

  A video without labels counts as 0.

  >>> from yt8m.eval.metrics import keras_metrics
  >>> metric = keras_metrics.PrecisionAtEqualRecall()
  >>> metric.update_state([[1, 0, 1], [0, 0, 1]], [[0.8, 0.9, 0.1], [0.1, 0.2, 0.3]])
  >>> float(metric.result())
  0.75

  Args:
    name: Name in logs.

  Source: YouTube-8M starter code, `eval_util.calculate_precision_at_equal_recall_rate`.
  """

  def __init__(self, name: str = "perr", **kwargs: Any):
    super().__init__(name=name, **kwargs)

  def _make(self, num_classes: int) -> accumulators.EqualRecallPrecision:
    return accumulators.EqualRecallPrecision(num_classes)


class GlobalAveragePrecision(HostMetric):
  """GAP: the average precision of the best k predictions of all videos, in one list.

      GAP = Σ_r positive(r) · precision(r) / P

  over the ranks r of that list, with P labels of all videos, in the list or not. Equal
  scores contribute the mean over their orders.

  The value is exact. It needs the rank of every positive among all predictions, and no
  rank is final before the last batch: the metric keeps 6 bytes for each prediction, for
  k = 20 that is 120 bytes for each video and 120 MB for a million videos. `result`
  temporarily takes about 50 bytes more for each prediction (1 GB for a million videos).

  >>> from yt8m.eval.metrics import keras_metrics
  >>> metric = keras_metrics.GlobalAveragePrecision(top_k=2)
  >>> metric.update_state([[1, 0, 0], [0, 1, 1]], [[0.9, 0.8, 0.1], [0.7, 0.2, 0.6]])
  >>> float(metric.result())  # hits at ranks 1 and 4, of 3 labels
  0.5

  In a `tf.function` that reads it after every batch, such as the training step of `fit`,
  the value of more than 10,000 videos may leave out the last eighth of them. The value
  that `fit` and `evaluate` report in the end leaves out none.

  Args:
    top_k: Number of predictions per video, k; more than num_classes means all.
    name: Name in logs.

  Source: YouTube-8M starter code, `eval_util.calculate_gap`.
  """
  _exact_in_graph = _EXACT_IN_GRAPH

  def __init__(self, top_k: int = TOP_K, name: str = "gap", **kwargs: Any):
    super().__init__(name=name, **kwargs)
    self.top_k = _at_least_one("top_k", top_k)

  def _make(self, num_classes: int) -> accumulators.GlobalAveragePrecision:
    return accumulators.GlobalAveragePrecision(num_classes, self.top_k)


class MeanAveragePrecision(HostMetric):
  """mAP: the mean average precision of the classes with positives.

      mAP = Σ_{c: P_c > 0} AP_c / |{c: P_c > 0}|

  AP_c is computed as in `GlobalAveragePrecision`, in a list for each class of the
  predictions among the best k of their video. Memory and exactness are those of
  `GlobalAveragePrecision`.

  >>> from yt8m.eval.metrics import keras_metrics
  >>> metric = keras_metrics.MeanAveragePrecision()
  >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.8], [0.7, 0.2]])
  >>> float(metric.result())  # 1 for the first class, 1/2 for the second
  0.75

  Args:
    top_k: Number of predictions per video that enter the lists of their classes, k.
    top_n: Number of ranks of each list to count, and the most positives to divide by;
      None for all.
    name: Name in logs.

  Source: YouTube-8M starter code, `mean_average_precision_calculator.py`.
  """
  _exact_in_graph = _EXACT_IN_GRAPH

  def __init__(self, top_k: int = TOP_K, top_n: int | None = None, name: str = "map",
               **kwargs: Any):
    super().__init__(name=name, **kwargs)
    self.top_k = _at_least_one("top_k", top_k)
    self.top_n = None if top_n is None else _at_least_one("top_n", top_n)

  def _make(self, num_classes: int) -> accumulators.MeanAveragePrecision:
    return accumulators.MeanAveragePrecision(num_classes, self.top_k, self.top_n)


def _at_least_one(name: str, value: int) -> int:
  if value < 1:
    raise ValueError(f"{name}={value} must be at least 1.")
  return value
