# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of a trained model for the batches of a reader."""

import tensorflow as tf

from yt8m.models.layers import recurrent


def model_inputs(batch):
  """The entries of a reader's batch that a model looks at."""
  return {key: batch[key] for key in ("features", "num_frames") if key in batch}


def training_inputs(batch):
  """The same in training, where some classifiers look at the labels too."""
  return {**model_inputs(batch), "labels": batch["labels"]}


def prediction_function(model, jit_compile=False):
  """Compiles `batch -> (batch_size, num_classes)` scores of `model`, at inference."""

  def predict(inputs):
    return model(inputs, training=False)["predictions"]

  if jit_compile:  # XLA knows no cuDNN
    predict = recurrent.portable()(predict)
  predict = tf.function(predict, reduce_retracing=True, jit_compile=jit_compile)
  return lambda batch: predict(model_inputs(batch))
