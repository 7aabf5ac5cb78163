# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Batches on the way from the input pipeline to the device that computes."""

import tensorflow as tf

# Strategies that copy batches to their devices themselves.
_COPYING = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy,
            tf.distribute.TPUStrategy)
_AHEAD = 2  # batches that are copied while an earlier one is computed


def prefetched(dataset: tf.data.Dataset, strategy: tf.distribute.Strategy,
               device: str | None = None) -> tf.data.Dataset:
  """Copies batches to a single GPU while the one before is computed.

  The strategies for several devices do so themselves. Text, which no GPU holds, is left
  out: the ids of videos, which training does not read. Frames are still bytes.

  Args:
    dataset: Batches of a reader.
    strategy: Strategy of the training.
    device: Device to copy to. Default: the first GPU, if there is one.
  """
  if device is None:
    gpus = tf.config.list_logical_devices("GPU")
    if not gpus or isinstance(strategy, _COPYING):
      return dataset
    device = gpus[0].name
  without_text = dataset.map(lambda batch: {
      key: value for key, value in batch.items()
      if getattr(value, "dtype", None) != tf.string})
  return without_text.apply(tf.data.experimental.prefetch_to_device(device, _AHEAD))
