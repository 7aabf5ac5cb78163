# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Trains with mixup on one device and on two and prints the difference, as JSON.

The replicas have even numbers of videos, as those of an even --batch_size for each.
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
from yt8m.training import mixup  # noqa: E402
from yt8m.training import optimizers  # noqa: E402
from yt8m.training import step as train_step  # noqa: E402

STEPS, ROWS = 3, 8


def train(strategy):
  with strategy.scope():
    model = models.VideoModel(
        descriptors.NUM_CLASSES, descriptors.SPECS["video"]).build_variables()
    optimizer = optimizers.make_optimizer("GradientDescentOptimizer", 0.1)
  descriptors.randomize(model)
  step = train_step.TrainStep(model, losses.CrossEntropyLoss(), optimizer, strategy)
  batch = descriptors.batch("video", rows=STEPS * ROWS)
  batch["id"] = [f"v{number}" for number in range(STEPS * ROWS)]
  dataset = mixup.attach(tf.data.Dataset.from_tensor_slices(batch).batch(ROWS),
                         alpha=1.0, seed=0, epoch=0)
  for part in strategy.experimental_distribute_dataset(dataset):
    step(part)
  return [np.asarray(tf.convert_to_tensor(v)) for v in model.weights]


def main():
  one, two = map(train, two_replicas.strategies())
  print(json.dumps(max(float(np.abs(a - b).max())
                       for a, b in zip(one, two, strict=True))))


if __name__ == "__main__":
  main()
