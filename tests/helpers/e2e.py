# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Model and records of the golden file `e2e`, in numpy."""

import numpy as np
import tensorflow as tf

from tests.helpers import support

SIZES = {"rgb": 16, "audio": 8}


def golden_text(key):
  arrays, _ = support.load_golden("e2e")
  return arrays[key].tobytes().decode("utf-8")


def records(name):
  """Yields id and frames, (num_frames, 24) uint8, of `e2e_{name}*.tfrecord`."""
  context = {"id": tf.io.FixedLenFeature([], tf.string)}
  sequence = {key: tf.io.FixedLenSequenceFeature([], tf.string) for key in SIZES}
  paths = sorted(str(path) for path in support.GOLDENS.glob(f"e2e_{name}*.tfrecord"))
  for record in tf.data.TFRecordDataset(paths):
    ids, frames = tf.io.parse_single_sequence_example(record, context, sequence)
    yield ids["id"].numpy(), np.concatenate(
        [tf.io.decode_raw(frames[key], tf.uint8).numpy() for key in SIZES], axis=1)


def frame_level_logistic(frames):
  """Returns the predictions, (num_classes,), of the starter code's model."""
  arrays, _ = support.load_golden("e2e")
  weights, biases = (
      arrays[f"var/tower/fully_connected/{name}"] for name in ("weights", "biases"))
  x = frames.astype(np.float32) * np.float32(4 / 255) + np.float32(4 / 512 - 2)
  x /= np.sqrt(np.maximum((x**2).sum(axis=1, keepdims=True), 1e-12))
  return 1 / (1 + np.exp(-(x.mean(axis=0) @ weights + biases)))
