# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Trains with frozen and slow weights on one device and on two, in both precisions.

Prints one JSON line: for each precision, the largest difference of any weight between
one device and two, and whether the frozen weights are as before on two.
"""

import json
import os
import pathlib
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from tests.helpers import descriptors  # noqa: E402
from tests.helpers import two_replicas  # noqa: E402
from yt8m import models  # noqa: E402
from yt8m.models import losses  # noqa: E402
from yt8m.training import freezing  # noqa: E402
from yt8m.training import optimizers  # noqa: E402
from yt8m.training import step as train_step  # noqa: E402
from yt8m.training import variable_paths  # noqa: E402

keras = tf.keras
STEPS, ROWS, RATE = 3, 4, 0.25


def train(precision, strategy):
  """Returns the weights by path, before and after some steps."""
  keras.mixed_precision.set_global_policy(precision)
  with strategy.scope():
    model = models.VideoModel(
        descriptors.NUM_CLASSES, descriptors.SPECS["video"], classifier={
            "name": "hidden", "units": 5, "use_batch_norm": True, "dropout": 0.0,
            "input_dropout": 0.0, "head": "gated"}).build_variables()
    optimizer = optimizers.make_optimizer("AdamOptimizer", 0.1)
    # Training does not support the loss scale of Keras 2, which has other methods.
    if precision == "mixed_float16" and hasattr(keras, "ops"):
      optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
  descriptors.randomize(model)
  weights = variable_paths.of_model(model)
  before = {w.path: np.asarray(tf.convert_to_tensor(w.variable)) for w in weights}
  step = train_step.TrainStep(
      model, losses.CrossEntropyLoss(), optimizer, strategy,
      frozen=freezing.Frozen(model, ["classifier/hidden"]),
      slow=[w.variable for w in weights if w.is_in("classifier/head/gate")],
      slow_rate=RATE)
  dataset = tf.data.Dataset.from_tensor_slices(
      descriptors.batch("video", rows=STEPS * ROWS)).batch(ROWS)
  for batch in strategy.experimental_distribute_dataset(dataset):
    step(batch)
  return before, {w.path: np.asarray(tf.convert_to_tensor(w.variable)) for w in weights}


def main():
  one, two = two_replicas.strategies()
  found = {}
  for precision in ("float32", "mixed_float16"):
    _, expected = train(precision, one)
    before, after = train(precision, two)
    found[precision] = (
        max(float(np.abs(value - expected[path]).max()) for path, value in after.items()),
        all(np.array_equal(value, before[path]) == path.startswith("classifier/hidden/")
            for path, value in after.items()))
  print(json.dumps(found))


if __name__ == "__main__":
  main()
