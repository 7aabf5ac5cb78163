# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Trains every small model on one device and on two and prints the differences.

Prints one JSON line: `{case: largest difference of any variable after training}`.
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
from yt8m import models  # noqa: E402
from yt8m.models import losses  # noqa: E402
from yt8m.models import registries  # noqa: E402
from yt8m.training import optimizers  # noqa: E402
from yt8m.training import step as train_step  # noqa: E402

STEPS = 2
ROWS = 5  # three on one replica and two on the other; every example has the same weight


def without_randomness(options):
  """Switches off sampling, dropout and random order, which differ between replicas."""
  options = {**options, "sampling": None}
  for kind, registry in (("aggregation", models.AGGREGATIONS),
                         ("classifier", models.CLASSIFIERS)):
    if options.get(kind):
      config = registries.resolve(registry, options[kind])
      options[kind] = {hparam: 0.0 if hparam.endswith("dropout") else value
                       for hparam, value in config.items()}
      if kind == "classifier" and "sampling" in config:
        options[kind]["sampling"] = "none"
      if "pretraining_epochs" in config:  # Nothing else would train the label network.
        options[kind]["pretraining_epochs"] = 1
      if options[kind].get("order") == "random":
        options[kind]["order"] = "frequency"
  return options


def train(case, strategy):
  level, options = descriptors.all_models()[case]
  with strategy.scope():
    model = models.VideoModel(descriptors.NUM_CLASSES, descriptors.SPECS[level],
                              **without_randomness(options)).build_variables()
    optimizer = optimizers.make_optimizer("GradientDescentOptimizer", 0.1)
  descriptors.randomize(model)
  step = train_step.TrainStep(model, losses.CrossEntropyLoss(), optimizer, strategy,
                              clip_gradient_norm=0.05)
  # A last batch of one row leaves the second replica empty. It is traced again, which
  # is slow for frame-level models.
  whole = descriptors.batch(level, rows=STEPS * ROWS + (level == "video"))
  dataset = tf.data.Dataset.from_tensor_slices(whole).batch(ROWS)
  for batch in strategy.experimental_distribute_dataset(dataset):
    step(batch)
  return [np.asarray(tf.convert_to_tensor(v)) for v in model.weights]


def strategies():
  """Returns one device and two; must be called before TensorFlow computes anything."""
  cpu = tf.config.list_physical_devices("CPU")[0]
  tf.config.set_logical_device_configuration(
      cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
  two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
  return tf.distribute.OneDeviceStrategy("CPU:0"), two


def main():
  one, two = strategies()
  differences, trained = {}, {}
  for case in descriptors.replica_cases():
    # Without randomness, some cases are the same.
    level, options = descriptors.all_models()[case]
    key = json.dumps([level, without_randomness(options)], sort_keys=True)
    if key not in trained:
      pairs = zip(train(case, one), train(case, two), strict=True)
      trained[key] = max(float(np.abs(a - b).max()) for a, b in pairs)
    differences[case] = trained[key]
  print(json.dumps(differences))


if __name__ == "__main__":
  main()
