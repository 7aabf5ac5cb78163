# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fits a model with metrics and a loss by name on two replicas, saves it and loads it.

    python tests/helpers/two_replica_metrics.py <path of the .keras file>

Prints one JSON line: the values of `fit`, of `evaluate`, of the loaded model, and of
`EvaluationMetrics`.
"""

import json
import sys

import yt8m  # before TensorFlow: the names must resolve all the same

assert "tensorflow" not in sys.modules

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

keras = tf.keras
ENTRIES = {"gap": "gap", "map": "map", "hit_at_1": "avg_hit_at_one", "perr": "avg_perr"}


def chosen(values):
  """The values with names of yt8m, without those with weights or of the validation."""
  return {name: float(np.ravel(values[name])[-1]) for name in [*ENTRIES, "loss"]}


def main():
  cpus = tf.config.list_physical_devices("CPU")
  tf.config.set_logical_device_configuration(
      cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
  rng = np.random.default_rng(0)
  x = rng.normal(size=(20, 3)).astype(np.float32)
  labels = np.float32(rng.random((20, 8)) < 0.2)
  strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
  with strategy.scope():
    model = keras.Sequential([keras.layers.Dense(8, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.0), "CrossEntropyLoss", metrics=list(ENTRIES))
  # The batches have one size: Keras takes the mean of the losses of the replicas.
  history = model.fit(x, labels, batch_size=4, epochs=2, verbose=0).history
  evaluated = model.evaluate(x, labels, batch_size=4, verbose=0, return_dict=True)
  model.save(sys.argv[1])
  loaded = keras.models.load_model(sys.argv[1])

  from yt8m.eval.metrics import streaming
  metrics = streaming.EvaluationMetrics(8)
  predictions = loaded.predict(x, verbose=0)
  loss = yt8m.losses.CrossEntropyLoss().call(labels, predictions).numpy()
  metrics.accumulate(predictions, labels, loss)
  values = metrics.get()
  print(json.dumps({
      "replicas": strategy.num_replicas_in_sync,
      "expected": {**{name: values[entry] for name, entry in ENTRIES.items()},
                   "loss": values["avg_loss"]},
      "fit": chosen(history), "evaluate": chosen(evaluated),
      "loaded": chosen(loaded.evaluate(x, labels, verbose=0, return_dict=True))}))


if __name__ == "__main__":
  main()
