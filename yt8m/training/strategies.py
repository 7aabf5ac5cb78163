# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Where training runs: on one device, several, several workers, or a TPU."""

import os
from typing import Any

import tensorflow as tf

from yt8m.core import registry

NAMES = ("auto", "one_device", "mirrored", "multi_worker")


def make_strategy(name: str = "auto", num_gpu: int = 1) -> tf.distribute.Strategy:
  """Returns the strategy that `--strategy` names.

  Args:
    name: One of `NAMES`, or `tpu` or `tpu:<name>` to connect to a Cloud TPU. `auto` is
      `multi_worker` if TF_CONFIG is set, `mirrored` for more than one GPU, and
      `one_device` otherwise.
    num_gpu: Largest number of GPUs to use on each worker.

  Raises:
    ValueError: Unknown name, or too few GPUs.
  """
  if name == "auto":
    name = ("multi_worker" if os.environ.get("TF_CONFIG")
            else "mirrored" if num_gpu > 1 else "one_device")
  if name == "one_device":
    return tf.distribute.get_strategy()
  if name == "mirrored":
    gpus = tf.config.list_logical_devices("GPU")
    if gpus and len(gpus) < num_gpu:
      raise ValueError(f"--num_gpu={num_gpu}, but TensorFlow sees {len(gpus)}.")
    devices = gpus[:num_gpu] or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])
  if name == "multi_worker":
    return tf.distribute.MultiWorkerMirroredStrategy()
  if name == "tpu" or name.startswith("tpu:"):
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
        name.partition(":")[2])
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)
  raise registry.unknown("--strategy", name, (*NAMES, "tpu:<name>"))


def is_multi_worker(strategy: tf.distribute.Strategy) -> bool:
  """Whether a strategy trains on several workers, each a process of its own."""
  return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
  """Whether this process writes the checkpoints and the log."""
  if not is_multi_worker(strategy):
    return True
  resolver: Any = strategy.cluster_resolver
  if "chief" in resolver.cluster_spec().jobs:
    return resolver.task_type == "chief"
  return resolver.task_id == 0


def pipeline_batch_size(context: tf.distribute.InputContext, global_batch_size: int
                        ) -> int:
  """Returns the number of examples of one replica's share of a global batch.

  Raises:
    ValueError: The global batch cannot be shared evenly.
  """
  replicas = context.num_replicas_in_sync
  if global_batch_size % replicas:
    raise ValueError(f"--batch_size={global_batch_size} cannot be shared evenly among "
                     f"{replicas} replicas: choose a multiple of {replicas}.")
  return global_batch_size // replicas


def barrier(strategy: tf.distribute.Strategy) -> None:
  """Returns when every worker has called it."""
  ones = strategy.run(tf.function(lambda: tf.ones([])))
  strategy.reduce(tf.distribute.ReduceOp.SUM, ones, axis=None)
