# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights that a SavedModel stores in fewer bits and casts back in its graph.

    float16, bfloat16    w' = cast(w)
    int8                 w' = s q,   q = round(w / s),   s = max |w| / 127

The scale s has one value per index of the last axis, which is the output channel of our
kernels; the maximum is over the other axes. Vectors and small matrices stay float32 under
int8, because they are biases, gains and statistics of batch normalisation, where errors
are large and bytes are few. The computation is in float32 in every case.
"""

import functools
import os

import tensorflow as tf

from yt8m.core import files
from yt8m.core import registry
from yt8m.export.saved_models import signatures
from yt8m.models.layers import variables

keras = tf.keras

WEIGHT_FORMATS = ("float32", "float16", "bfloat16", "int8")
_MIN_ELEMENTS = 1024  # smallest size of a weight that is stored as int8
_FORMAT_FILE = "weights.json"


def compress(model: tf.keras.Model,
             weight_format: str) -> tuple[signatures.Model, list[tf.Variable]]:
  """Stores the weights of a model in another format.

  Args:
    model: Keras model with its variables.
    weight_format: One of `WEIGHT_FORMATS`.

  Returns:
    `(call, stored)`. The function `call(inputs)` computes `model(inputs,
    training=False)` from the variables `stored`, and from no others.

  Raises:
    ValueError: The format is unknown, or needs Keras 3; or a weight is not finite, or is
      too large for the format.
  """
  if weight_format not in WEIGHT_FORMATS:
    raise registry.unknown("--weights", weight_format, WEIGHT_FORMATS)
  if weight_format == "float32":
    return (functools.partial(model, training=False),
            [variables.tf_variable(v) for v in model.weights])
  if not hasattr(keras, "StatelessScope"):
    raise ValueError(f"--weights={weight_format} needs Keras 3, which comes with "
                     "TensorFlow 2.16 and later; here only float32 can be exported.")

  factors = [(v, _factors(v, weight_format)) for v in model.weights]

  def call(inputs):
    # Cast here and not where a weight is used: a loop would cast it in every iteration.
    values = [(v, functools.reduce(tf.multiply, [tf.cast(f, tf.float32) for f in small]))
              for v, small in factors if small]
    with keras.StatelessScope(state_mapping=values):
      return model(inputs, training=False)

  stored = [small or [variables.tf_variable(v)] for v, small in factors]
  return call, sum(stored, [])


def _factors(variable: tf.Variable, weight_format: str) -> list[tf.Variable]:
  """Returns the variables whose product is a weight; `[]` if it is not compressed."""
  value = tf.convert_to_tensor(variables.tf_variable(variable))
  if value.dtype != tf.float32:
    return []
  if weight_format != "int8":
    small = [tf.cast(value, weight_format)]
  elif value.shape.rank < 2 or value.shape.num_elements() < _MIN_ELEMENTS:
    return []
  else:
    scale = tf.reduce_max(tf.abs(value), axis=range(value.shape.rank - 1)) / 127
    small = [tf.cast(tf.round(tf.math.divide_no_nan(value, scale)), tf.int8), scale]
  if not all(tf.reduce_all(tf.math.is_finite(tf.cast(x, tf.float32)))
             for x in (value, *small)):
    raise ValueError(
        f"--weights={weight_format}: {variable.name} {tuple(value.shape)} has values up "
        f"to {tf.reduce_max(tf.abs(value)):g} and does not stay finite. Has the model "
        "diverged? If not, bfloat16 has the range of float32.")
  return [tf.Variable(x, trainable=False) for x in small]


def save_format(directory: str, weight_format: str) -> None:
  """Records the format of the weights, for `load_format`."""
  files.write_json(os.path.join(directory, _FORMAT_FILE), {"weights": weight_format})


def load_format(directory: str) -> str:
  """Returns the format that `save_format` recorded; float32 if there is no record.

  Raises:
    ValueError: The record is damaged.
  """
  path = os.path.join(directory, _FORMAT_FILE)
  if not tf.io.gfile.exists(path):
    return "float32"
  return files.read_json(path, kind="a record of yt8m-export", remedy="Export again",
                         parse=lambda content: content["weights"])
