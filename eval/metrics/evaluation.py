# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs a model over records and measures its predictions."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import files
from yt8m.core import progress
from yt8m.core import types
from yt8m.eval.metrics import streaming
from yt8m.models import losses
from yt8m.models import prediction
from yt8m.models import video_model


def evaluate(model: video_model.VideoModel, dataset: Iterable[types.Batch],
             top_k: int | None = None, label_loss: str = "CrossEntropyLoss",
             log_every: float = 10.0, num_examples: int | None = None,
             ) -> streaming.EvaluationMetrics:
  """Measures a model on a dataset.

  The scores of classes whose label weight is 0 (those not rated for a segment) count as
  0, as in the starter code.

  Args:
    model: Model to measure.
    dataset: Batches of a reader, with labels.
    top_k: Number of predictions per video in GAP and mAP; see `streaming.chosen_top_k`.
    label_loss: Name of the loss to report.
    log_every: Seconds between progress lines.
    num_examples: Expected number of examples, for the forecast of the time left.

  Returns:
    The accumulated metrics.

  Raises:
    ValueError: `top_k` is out of range.
  """
  top_k = streaming.chosen_top_k(top_k, model.num_classes)
  loss = losses.LOSSES[label_loss]()
  predict = prediction.prediction_function(model)
  metrics = streaming.EvaluationMetrics(model.num_classes, top_k)
  report = progress.Periodic(log_every, num_examples)
  for batch in dataset:
    predictions = predict(batch)
    weights = batch.get("label_weights")
    per_video = loss.call(batch["labels"], predictions, weights)
    if weights is not None:
      predictions *= weights
    metrics.accumulate(predictions, batch["labels"], np.asarray(per_video))
    for line in report(metrics.num_examples):
      logging.info("%d examples | %s", metrics.num_examples, line)
  return metrics


def format_line(step: int, values: dict[str, Any]) -> str:
  """Returns `"step 1000 | Avg_Hit@1: 0.8310 | … | GAP: 0.7942 | …"`.

  Args:
    step: Step of the checkpoint.
    values: Metrics, from `EvaluationMetrics.get`.
  """
  return f"step {step} | " + " | ".join(
      f"{title}: {values[name]:.4f}" for name, title in streaming.TITLES.items())


def write_results(
    train_dir: str, step: int, model: video_model.VideoModel,
    metrics: streaming.EvaluationMetrics, values: dict[str, Any], *,
    hparams: str | None = None, data: str | None = None) -> str:
  """Writes `eval/metrics-<step>.json` and TensorBoard scalars.

  Args:
    train_dir: Training directory.
    step: Step of the checkpoint.
    model: Model, whose trainable parameters are counted.
    metrics: Accumulated metrics.
    values: Result of `metrics.get()`, which takes a while for a million videos.
    hparams: `--hparams` of the evaluation, for the record.
    data: Pattern of the evaluated records, for the record.

  Returns:
    The path of the JSON file.
  """
  directory = os.path.join(train_dir, "eval")
  tf.io.gfile.makedirs(directory)
  scalars = {name: float(values[name]) for name in streaming.TITLES}
  path = os.path.join(directory, f"metrics-{step}.json")
  classes = np.flatnonzero(metrics.num_positives).tolist()
  files.write_json(path, {
      "step": step, "data": data, "num_examples": metrics.num_examples,
      "num_parameters": sum(int(tf.size(v)) for v in model.trainable_variables),
      "hparams": hparams, **scalars,
      "average_precision": dict(zip(classes, values["aps"].tolist(), strict=True))})
  with files.clear_disk_errors(directory):
    writer = tf.summary.create_file_writer(directory)
    with writer.as_default(step=step):
      for name, value in scalars.items():
        tf.summary.scalar(f"eval/{name}", value)
    writer.close()
  return path
