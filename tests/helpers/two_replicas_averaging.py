# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Averages weights on one device and on two and prints the differences.

Prints one JSON line: `{kind and precision: largest difference of any average}`.
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
from yt8m.configs import checkpoints  # noqa: E402
from yt8m.models import losses  # noqa: E402
from yt8m.training import optimizers  # noqa: E402
from yt8m.training import step as train_step  # noqa: E402
from yt8m.training import weight_averaging  # noqa: E402

keras = tf.keras
STEPS, ROWS = 4, 4


def train(kind, precision, strategy):
  """Returns the averages after some steps of a model with batch normalisation."""
  keras.mixed_precision.set_global_policy(precision)
  with strategy.scope():
    model = models.VideoModel(
        descriptors.NUM_CLASSES, descriptors.SPECS["video"], classifier={
            "name": "hidden", "units": 5, "use_batch_norm": True, "dropout": 0.0,
            "input_dropout": 0.0}).build_variables()
    optimizer = optimizers.make_optimizer("GradientDescentOptimizer", 0.1)
    # Training does not support the loss scale of Keras 2, which has other methods.
    if precision == "mixed_float16" and hasattr(keras, "ops"):
      optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
  descriptors.randomize(model)
  step = train_step.TrainStep(model, losses.CrossEntropyLoss(), optimizer, strategy)
  averages = weight_averaging.make(
      kind, model, strategy, start_step=2, momentum=0.5, swa_steps=1)
  dataset = tf.data.Dataset.from_tensor_slices(
      descriptors.batch("video", rows=STEPS * ROWS)).batch(ROWS)
  for number, batch in enumerate(strategy.experimental_distribute_dataset(dataset), 1):
    step(batch)
    averages.update(number)
  return [np.asarray(tf.convert_to_tensor(a))
          for a in averages.checkpoint_parts()[checkpoints.AVERAGES]]


def main():
  strategies = two_replicas.strategies()
  differences = {}
  for kind in ("ema", "swa"):
    for precision in ("float32", "mixed_float16"):
      pairs = zip(*(train(kind, precision, s) for s in strategies), strict=True)
      differences[f"{kind} {precision}"] = max(
          float(np.abs(a - b).max()) for a, b in pairs)
  print(json.dumps(differences))


if __name__ == "__main__":
  main()
