# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Weights of a SavedModel stored in fewer bits, and cast back in its graph.

    float16, bfloat16    w' = cast(w)
    int8                 w' = s q,   q = round(w / s),   s = max |w| / 127

The scale s is one number for every index of the last axis, which in our kernels is the
output channel; the maximum is over the other axes. Vectors and small matrices stay
float32 under int8: they are biases, gains and the statistics of batch normalisation,
where errors are large and bytes few. Computed is in float32 all the same.
"""

import functools
import json
import os

import tensorflow as tf

from yt8m.core import files
from yt8m.models.layers import variables

keras = tf.keras

WEIGHT_FORMATS = ("float32", "float16", "bfloat16", "int8")
_MIN_ELEMENTS = 1024  # of a weight that int8 is for
_FORMAT_FILE = "weights.json"


def compress(model, weight_format):
  """Stores the weights of a model in another format.

  Args:
    model: a Keras model, built.
    weight_format: one of `WEIGHT_FORMATS`.

  Returns:
    `(call, stored)`: the function `call(inputs)` computes `model(inputs,
    training=False)` from the `tf.Variable`s of the list `stored`, and from no others.

  Raises:
    ValueError: an unknown format; a format other than float32 on Keras 2; a weight that
      is not finite, or too large for the format.
  """
  if weight_format not in WEIGHT_FORMATS:
    raise ValueError(f"--weights={weight_format} is unknown. Valid: "
                     f"{', '.join(WEIGHT_FORMATS)}.")
  if weight_format == "float32":
    return (functools.partial(model, training=False),
            [variables.tf_variable(v) for v in model.weights])
  if not hasattr(keras, "StatelessScope"):
    raise ValueError(f"--weights={weight_format} needs Keras 3, which comes with "
                     "TensorFlow 2.16 and later; here only float32 can be exported.")

  factors = [(v, _factors(v, weight_format)) for v in model.weights]

  def call(inputs):
    # Here, and not where a weight is used: a loop would cast it in every turn.
    values = [(v, functools.reduce(tf.multiply, [tf.cast(f, tf.float32) for f in small]))
              for v, small in factors if small]
    with keras.StatelessScope(state_mapping=values):
      return model(inputs, training=False)

  stored = [small or [variables.tf_variable(v)] for v, small in factors]
  return call, sum(stored, [])


def _factors(variable, weight_format):
  """The variables whose product is a weight; none, if it stays as it is."""
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


def save_format(directory, weight_format):
  """Writes down how weights are stored, for `load_format`."""
  with files.atomic_write(os.path.join(directory, _FORMAT_FILE)) as file:
    json.dump({"weights": weight_format}, file)


def load_format(directory):
  """The format that `save_format` wrote; float32 where it wrote none."""
  path = os.path.join(directory, _FORMAT_FILE)
  if not tf.io.gfile.exists(path):
    return "float32"
  with files.open_to_read(path) as file:
    return json.load(file)["weights"]
