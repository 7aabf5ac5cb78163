# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Hit@k, PERR, GAP and mAP as Keras metrics, for `compile(metrics=…)`.

They keep what `EvaluationMetrics` keeps, in the same accumulators, so that their values
are equal; see `host_metric`.
"""

from typing import Any

from yt8m.eval.metrics import accumulators
from yt8m.eval.metrics import host_metric
from yt8m.eval.metrics.streaming import TOP_K

# A graph that reads the metric after every batch, as `fit` does for its progress bar,
# would sort all predictions every time. Beyond this number of videos it reads a value
# that leaves out up to one eighth of the videos, which makes the cost proportional to
# their number. Read eagerly, as `fit` and `evaluate` do in the end, the value is exact.
_EXACT_IN_GRAPH = 10_000


class HitAtK(host_metric.HostMetric):
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


class PrecisionAtEqualRecall(host_metric.HostMetric):
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


class GlobalAveragePrecision(host_metric.HostMetric):
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


class MeanAveragePrecision(host_metric.HostMetric):
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
