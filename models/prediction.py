# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of a trained model for the batches of a reader."""

import tensorflow as tf


def model_inputs(batch):
  """The entries of a reader's batch that a model looks at."""
  return {key: batch[key] for key in ("features", "num_frames") if key in batch}


def prediction_function(model, jit_compile=False):
  """Compiles `batch -> (batch_size, num_classes)` scores of `model`, at inference."""

  @tf.function(reduce_retracing=True, jit_compile=jit_compile)
  def predict(inputs):
    return model(inputs, training=False)["predictions"]

  return lambda batch: predict(model_inputs(batch))
