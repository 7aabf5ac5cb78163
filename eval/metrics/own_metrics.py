# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--metrics`: Keras metrics of the user's own, beside those of this package."""

import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import flags

from yt8m.core import registry
from yt8m.core import types
from yt8m.eval.metrics import gate

keras = tf.keras

# Flags that are defined here belong to the command that asks for them.
flags.disclaim_key_flags()

# There are only those of the user: `my_package.my_module:MyMetric`.
METRICS = registry.Registry("metric", keras.metrics.Metric)
# What the results of an evaluation call something else.
_TAKEN = {*gate.NAMES, "aps", "at_thresholds", "average_precision", "by_frequency",
          "data", "data_digest", "hparams", "label_loss", "num_examples",
          "num_parameters", "num_positives", "reliability", "segments", "step", "top_k"}


def define_flag() -> None:
  """Defines --metrics, for the command that calls this."""
  flags.DEFINE_multi_string(
      "metrics", [], "Keras metrics of your own to measure besides, as "
      "my_package.my_module:MyMetric. May be repeated, or have commas.")


class OwnMetrics:
  """Keras metrics of labels and scores, by the names that they have.

  Args:
    typed: Values of `--metrics`.

  Attributes:
    less_is_better: Whether a smaller value is a better one, by the name of the metric:
      the attribute `less_is_better` of its class, if there is one.

  Raises:
    ValueError: One is no Keras metric, is not allowed, needs arguments, or has the name
      of another one.
  """

  def __init__(self, typed: Sequence[str] = ()):
    self._metrics: dict[str, Any] = {}
    self.less_is_better: dict[str, bool] = {}
    for name in (part for text in typed for part in text.split(",")):
      cls = METRICS[name]
      try:
        metric = cls()
      except TypeError as error:
        raise ValueError(f"--metrics={name} cannot be built: {error}. Name a class whose "
                         "constructor needs no arguments.") from error
      if not re.fullmatch("[a-zA-Z]\\w*", metric.name) or metric.name in (
          {*_TAKEN, *self._metrics}):
        raise ValueError(
            f"--metrics={name} has the name {metric.name!r}: give it one word that no "
            "other result has, by super().__init__(name=…).")
      self._metrics[metric.name] = metric
      self.less_is_better[metric.name] = bool(getattr(metric, "less_is_better", False))

  def clear(self) -> None:
    """Discards everything measured so far."""
    for metric in self._metrics.values():
      metric.reset_state()

  def update(self, labels: Any, scores: types.Scores) -> None:
    """Measures a batch.

    Args:
      labels: (batch_size, num_classes). A label is positive where it is > 0.
      scores: (batch_size, num_classes).
    """
    if self._metrics:
      labels = tf.cast(tf.cast(labels, tf.float32) > 0, tf.float32)
      for metric in self._metrics.values():
        metric.update_state(labels, scores)

  def values(self) -> dict[str, float]:
    """Returns the values by the names of the metrics.

    Raises:
      ValueError: One is not a number.
    """
    found = {}
    for name, metric in self._metrics.items():
      result: Any = metric.result()
      if isinstance(result, dict) or tf.convert_to_tensor(result).shape.rank:
        raise ValueError(f"--metrics: {type(metric).__name__} measures {result}, but its "
                         "result() must be one number.")
      found[name] = float(result)
    return found
