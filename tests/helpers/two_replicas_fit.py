# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fits models with Keras on one device and on two and prints the differences.

Prints one JSON line: `{case: largest difference of any variable or metric}`.
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

CASES = ("classifier-moe", "classifier-class_chain")
ROWS = 4  # two on each replica


def fit(case, strategy):
  level, options = descriptors.all_models()[case]
  with strategy.scope():
    model = models.VideoModel(descriptors.NUM_CLASSES, descriptors.SPECS[level],
                              **two_replicas.without_randomness(options))
    model.build_variables()
    model.compile(tf.keras.optimizers.SGD(0.1), losses.CrossEntropyLoss())
  descriptors.randomize(model)
  dataset = tf.data.Dataset.from_tensor_slices(
      descriptors.batch(level, rows=3 * ROWS)).batch(ROWS)
  history = model.fit(dataset, epochs=2, verbose=0).history
  scores = model.predict(dataset, verbose=0)
  return [*(np.asarray(w) for w in model.get_weights()), np.array(history["loss"]),
          np.array(model.evaluate(dataset, verbose=0)), scores]


def main():
  one, two = two_replicas.strategies()
  print(json.dumps({
      case: max(float(np.abs(a - b).max()) for a, b in zip(
          fit(case, one), fit(case, two), strict=True)) for case in CASES}))


if __name__ == "__main__":
  main()
