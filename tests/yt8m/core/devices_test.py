# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Batches go to another device as bytes, and without text."""

import subprocess
import sys

import tensorflow as tf

from tests.helpers import support
from yt8m.core import devices

# A second CPU stands in for a GPU. A process of its own, because devices are fixed once
# they are used.
CODE = """
import tensorflow as tf
from yt8m.core import devices
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
dataset = tf.data.Dataset.from_tensor_slices({
    "id": ["a", "b", "c"], "features": {"x": tf.zeros([3, 4], tf.uint8)},
    "num_frames": [1, 2, 3]}).batch(2)
batches = list(devices.prefetched(dataset, tf.distribute.get_strategy(), "/CPU:1"))
assert [sorted(batch) for batch in batches] == 2 * [["features", "num_frames"]]
assert batches[0]["features"]["x"].dtype == tf.uint8
assert all(x.device.endswith("CPU:1") for x in tf.nest.flatten(batches))
assert batches[1]["num_frames"].numpy().tolist() == [3]
print("done")
"""


def test_batches_are_on_the_device(tmp_path):
  output = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True,
                          env=support.ENVIRONMENT, cwd=support.ROOT)
  assert output.stdout.strip() == "done", output.stderr


def test_without_a_gpu_nothing_changes():
  dataset = tf.data.Dataset.range(3)
  assert devices.prefetched(dataset, tf.distribute.get_strategy()) is dataset
