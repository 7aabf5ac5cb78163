# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs a model over records and measures it."""

import json
import os

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import files
from yt8m.core import progress
from yt8m.eval.metrics import streaming
from yt8m.models import losses
from yt8m.models import prediction

# The scalars of an evaluation, by the names the starter code prints them under.
LABELS = {"avg_hit_at_one": "Avg_Hit@1", "avg_perr": "Avg_PERR", "map": "MAP",
          "gap": "GAP", "avg_loss": "Avg_Loss"}


def evaluate(model, dataset, top_k=20, label_loss="CrossEntropyLoss", log_every=10.0,
             num_examples=None):
  """Measures `model` on a dataset.

  Classes that a batch weighs with 0 (`label_weights`, of rated segments) are not
  predicted: their scores become 0, as in the starter code.

  Args:
    model: `VideoModel`.
    dataset: batches of a reader, with labels.
    top_k: predictions a video in GAP and mAP.
    label_loss: name of the loss to report.
    log_every: seconds between progress lines.
    num_examples: examples of the dataset as far as known; forecasts the time left.

  Returns:
    `EvaluationMetrics`.

  Raises:
    ValueError: `top_k` is above the number of classes.
  """
  if top_k > model.num_classes:
    raise ValueError(f"--top_k={top_k} is above the number of classes, "
                     f"{model.num_classes}.")
  loss = losses.LOSSES[label_loss]()
  predict = prediction.prediction_function(model)
  measured = streaming.EvaluationMetrics(model.num_classes, top_k)
  report = progress.Periodic(log_every, progress.Progress(num_examples))
  for batch in dataset:
    predictions = predict(batch)
    weights = batch.get("label_weights")
    per_video = loss.call(batch["labels"], predictions, weights)
    if weights is not None:
      predictions *= weights
    measured.accumulate(predictions, batch["labels"], np.asarray(per_video))
    for line in report(measured.num_examples):
      logging.info("%d examples | %s", measured.num_examples, line)
  return measured


def format_line(step, values):
  """`"step 1000 | Avg_Hit@1: 0.8310 | … | GAP: 0.7942 | …"`.

  Args:
    step: of the checkpoint.
    values: what `EvaluationMetrics.get` returns.
  """
  return f"step {step} | " + " | ".join(
      f"{label}: {values[name]:.4f}" for name, label in LABELS.items())


def write_results(train_dir, step, model, measured, values, hparams=None, data=None):
  """Writes `eval/metrics-<step>.json` and TensorBoard scalars; returns the former.

  Args:
    train_dir: the training directory.
    step: of the checkpoint.
    model: `VideoModel`, whose trainable parameters are counted.
    measured: `EvaluationMetrics`.
    values: what its `get` returns, which takes a while for a million videos.
    hparams: `--hparams` of the evaluation, written down with the rest.
    data: the records that it read, likewise.
  """
  directory = os.path.join(train_dir, "eval")
  tf.io.gfile.makedirs(directory)
  scalars = {name: float(values[name]) for name in LABELS}
  path = os.path.join(directory, f"metrics-{step}.json")
  num_parameters = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
  classes = np.flatnonzero(measured.num_positives).tolist()
  with files.atomic_write(path, "w") as file:
    json.dump({"step": step, "data": data, "num_examples": measured.num_examples,
               "num_parameters": num_parameters, "hparams": hparams, **scalars,
               "average_precision": dict(
                   zip(classes, values["aps"].tolist(), strict=True))}, file, indent=1)
  writer = tf.summary.create_file_writer(directory)
  with writer.as_default(step=step):
    for name, value in scalars.items():
      tf.summary.scalar(f"eval/{name}", value)
  writer.close()
  return path
