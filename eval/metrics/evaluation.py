# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs a model over records and measures its predictions."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np

from yt8m.core import progress
from yt8m.core import types
from yt8m.eval.metrics import calibration
from yt8m.eval.metrics import own_metrics
from yt8m.eval.metrics import streaming
from yt8m.models import losses


def evaluate(predict: Callable[[types.Batch], types.Scores], num_classes: int,
             dataset: Iterable[types.Batch], top_k: int | None, loss: losses.LabelLoss, *,
             log_every: float = 10.0, num_examples: int | None = None,
             own: own_metrics.OwnMetrics | None = None) -> streaming.EvaluationMetrics:
  """Measures the scores of a model on a dataset.

  The scores of classes whose label weight is 0 (those not rated for a segment) count as
  0, as in the starter code.

  Args:
    predict: Function from a batch to scores, (batch_size, num_classes).
    num_classes: Number of classes, C.
    dataset: Batches of a reader, with labels.
    top_k: Number of predictions per video in GAP and mAP; see `streaming.chosen_top_k`.
    loss: Loss to report.
    log_every: Seconds between progress lines.
    num_examples: Expected number of examples, for the forecast of the time left.
    own: Metrics of the user's own to measure besides.

  Returns:
    The accumulated metrics.

  Raises:
    ValueError: `top_k` is out of range.
  """
  top_k = streaming.chosen_top_k(top_k, num_classes)
  metrics = streaming.EvaluationMetrics(num_classes, top_k)
  own = own or own_metrics.OwnMetrics()
  own.clear()
  with progress.Periodic(log_every, num_examples) as report:
    for batch in dataset:
      predictions = predict(batch)
      weights = batch.get("label_weights")
      per_video = loss.call(batch["labels"], predictions, weights)
      if weights is not None:
        predictions *= weights
        metrics.rated_only = True
      metrics.accumulate(predictions, batch["labels"], np.asarray(per_video))
      own.update(batch["labels"], predictions)
      report(metrics.num_examples, f"{metrics.num_examples} examples",
             examples=metrics.num_examples)
  return metrics


def check_labels(metrics: streaming.EvaluationMetrics, data: str) -> None:
  """Raises ValueError if there are no labels, without which nothing can be measured.

  Args:
    metrics: Accumulated metrics.
    data: Name of the records, for the error.
  """
  if not metrics.num_examples:
    raise ValueError(f"No example in {data}: name other records.")
  if not metrics.num_positives.any():
    raise ValueError(
        f"None of the {metrics.num_examples:,} examples of {data} has a label, so "
        "nothing can be measured: name records with class numbers in 'labels'.")


def format_line(title: str, values: dict[str, Any],
                own: Mapping[str, float] | None = None) -> str:
  """Returns `"step 1000 | Avg_Hit@1: 0.8310 | … | GAP: 0.7942 | …"`.

  Args:
    title: Beginning, such as `"step 1000"`.
    values: Metrics, from `EvaluationMetrics.get`.
    own: Metrics of the user's own, by name.
  """
  shown = {**{name: values[key] for key, name in streaming.TITLES.items()},
           **(own or {})}
  return f"{title} | " + " | ".join(
      f"{name}: {value:.4f}" for name, value in shown.items())


def format_calibration(values: dict[str, Any], top_k: int) -> str:
  """Returns `"Best 20 classes of each video: ECE: 0.0123 | …"`, for people.

  Args:
    values: Metrics, from `EvaluationMetrics.calibration`.
    top_k: Number of classes of each video.
  """
  return f"Best {top_k} classes of each video: " + " | ".join(
      f"{title}: {values[name]:.4f}" for name, title in calibration.TITLES.items())
