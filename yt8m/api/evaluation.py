# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics of a model on a dataset."""

from collections.abc import Iterable
from typing import Any

from yt8m import models
from yt8m.api import datasets
from yt8m.api import predictor as predictors
from yt8m.data import records
from yt8m.eval.metrics import evaluation
from yt8m.models import losses
from yt8m.models import prediction


def evaluate(model: models.VideoModel | predictors.Predictor, dataset: Iterable[Any], *,
             top_k: int | None = None, loss: losses.LabelLoss | None = None
             ) -> dict[str, Any]:
  """Measures a model, with the metrics of `yt8m-eval`.

  Args:
    model: `VideoModel`, or what `yt8m.load` returns.
    dataset: Dataset of `yt8m.datasets`, or of a reader, with labels.
    top_k: Number of predictions per video in GAP and mAP. Default: 20, or the number of
      classes if that is smaller.
    loss: Loss to report. Default: cross entropy.

  Returns:
    `gap`, `map`, `avg_hit_at_one`, `avg_perr`, `avg_loss`; `aps`, the average precision
    of each class with positives; the entries of `calibration.measure`, such as `ece`;
    and `num_examples`. See `EvaluationMetrics.get`.

  Raises:
    ValueError: There are no examples, none has a label, or there are labels of other
      classes.
    RecordError: A record is bad.
  """
  predict = (prediction.prediction_function(model)
             if isinstance(model, models.VideoModel) else model)
  with records.clear_errors():
    metrics = evaluation.evaluate(
        predict, model.num_classes, datasets.labeled(dataset, model.num_classes), top_k,
        loss or losses.CrossEntropyLoss())
  evaluation.check_labels(metrics, "the dataset")
  return {**metrics.get(), **metrics.calibration(), "num_examples": metrics.num_examples}
