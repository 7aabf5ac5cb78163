# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Speed of the recurrent layers, forward and backward, compared with Keras.

  python benchmarks/rnn.py
  python benchmarks/rnn.py --cell=gru --units=128

Runs both in turns on the same random batch, and one large matrix product in between,
which is the upper limit of the machine. Prints the best of all turns, because other
work on the machine can only slow a turn down, and the median of the ratios.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from yt8m.models.layers import recurrent

keras = tf.keras

_CELL = flags.DEFINE_enum("cell", "lstm", ["lstm", "gru"], "Recurrence.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Videos in a batch.")
_FRAMES = flags.DEFINE_integer("frames", 300, "Frames of each video.")
_DIM = flags.DEFINE_integer("dim", 1152, "Size of a frame.")
_UNITS = flags.DEFINE_integer("units", 1024, "Size of the state.")
_TURNS = flags.DEFINE_integer("turns", 4, "Turns of each; the first does not count.")

GATES = {"lstm": 4, "gru": 3}
MATMUL = 4096  # rows and columns of the large product


def training_step(call: Callable[[tf.Tensor], tf.Tensor], weights: list[Any],
                  x: tf.Tensor) -> Callable[[], list[tf.Tensor]]:
  """Returns a compiled forward pass with the gradients of the input and the weights."""
  @tf.function
  def step():
    with tf.GradientTape() as tape:
      tape.watch(x)
      outputs = call(x)
      loss = tf.reduce_sum(outputs * outputs)
    gradients: Any = tape.gradient(loss, [x, *weights])
    return [tf.reduce_sum(g) for g in gradients]
  return step


def large_product() -> Callable[[], tf.Tensor]:
  """Returns a compiled product of two large matrices."""
  a = tf.random.normal([MATMUL, MATMUL])
  return tf.function(lambda: tf.reduce_sum(tf.matmul(a, a)))


def turn(step: Callable[[], Any]) -> float:
  """Returns the seconds that one step takes."""
  start = time.perf_counter()
  tf.nest.map_structure(np.asarray, step())
  return time.perf_counter() - start


def main(argv: list[str]) -> None:
  del argv  # unused
  x = tf.random.normal([_BATCH_SIZE.value, _FRAMES.value, _DIM.value])
  keras_layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[_CELL.value]
  reference = keras_layer(_UNITS.value, return_sequences=True)
  layer = recurrent.CELLS[_CELL.value](_UNITS.value)
  reference.build(x.shape)
  layer.build(x.shape)
  steps = {"keras": training_step(reference, reference.trainable_weights, x),
           "ours": training_step(lambda x: layer(x)[0], layer.trainable_weights, x),
           "matmul": large_product()}
  seconds = {name: [] for name in steps}
  for _ in range(_TURNS.value):
    for name, step in steps.items():
      seconds[name].append(turn(step))
  seconds = {name: np.array(turns[1:]) for name, turns in seconds.items()}

  # One product forward and two backward for each weight, frame and video.
  flops = {name: 3 * 2 * _BATCH_SIZE.value * _FRAMES.value * GATES[_CELL.value]
           * _UNITS.value * (_DIM.value + _UNITS.value) for name in ("keras", "ours")}
  flops["matmul"] = 2 * MATMUL ** 3
  print(f"{_CELL.value}, {_BATCH_SIZE.value} videos of {_FRAMES.value} frames, "
        f"{_DIM.value} inputs, {_UNITS.value} units, {os.cpu_count()} cores")
  print(f"{'':8}{'best s':>8}{'GFLOP/s':>10}{'of matmul':>11}{'speed':>8}")
  limit = flops["matmul"] / seconds["matmul"].min()
  for name, turns in seconds.items():
    rate = flops[name] / turns.min()
    speed = (f"{seconds['keras'].min() / turns.min():7.2f}x"
             if name in ("keras", "ours") else "")
    print(f"{name:8}{turns.min():8.2f}{rate / 1e9:10.1f}{rate / limit:10.0%} {speed}")
  print("ours against keras, median of the turns: "
        f"{np.median(seconds['keras'] / seconds['ours']):.2f}x")


if __name__ == "__main__":
  app.run(main)
