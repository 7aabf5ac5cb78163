# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of a trained model for the batches of a reader."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import types
from yt8m.models.layers import recurrent


def model_inputs(batch: types.Batch) -> types.Batch:
  """Returns the entries of a batch that a model reads at inference."""
  return {key: batch[key] for key in ("features", "num_frames") if key in batch}


def training_inputs(batch: types.Batch) -> types.Batch:
  """Returns the entries of a batch that a model reads in training: labels as well."""
  return {**model_inputs(batch), "labels": batch["labels"]}


def input_signature(spec: feature_spec.FeatureSpec) -> types.Batch:
  """Returns the shapes and types of the inputs, for any number of videos and frames."""
  frames = () if spec.is_video_level else (None,)
  return {
      "features": {name: tf.TensorSpec((None, *frames, size), dtype, name)
                   for name, size, dtype in zip(
                       spec.names, spec.sizes, spec.dtypes, strict=True)},
      "num_frames": tf.TensorSpec((None,), tf.int32, "num_frames")}


def prediction_function(model: Any, jit_compile: bool = False
                        ) -> Callable[[types.Batch], types.Scores]:
  """Compiles the function from a batch to the scores of `model` at inference."""

  def predict(inputs):
    return model(inputs, training=False)["predictions"]

  if jit_compile:  # XLA cannot compile the cuDNN kernels.
    predict = recurrent.portable()(predict)
  predict = tf.function(predict, reduce_retracing=True, jit_compile=jit_compile)
  return lambda batch: predict(model_inputs(batch))
