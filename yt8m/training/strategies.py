# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Where training runs: one device, several, several workers, or a TPU."""

import os

import tensorflow as tf

NAMES = ("auto", "one_device", "mirrored", "multi_worker")


def make_strategy(name="auto", num_gpu=1):
  """Returns the `tf.distribute.Strategy` that `--strategy` names.

  Args:
    name: `auto` takes `multi_worker` where TF_CONFIG is set, `mirrored` where more
      than one GPU is asked for, and one device otherwise. `tpu` or `tpu:<name>`
      connects to a Cloud TPU.
    num_gpu: GPUs to use at most, on each worker.

  Raises:
    ValueError: unknown name, or fewer GPUs than asked for.
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
  raise ValueError(f"Unknown --strategy={name!r}. Valid: {', '.join(NAMES)}, tpu:<name>.")


def is_multi_worker(strategy):
  return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy):
  """Whether this process writes the checkpoints and the log."""
  if not is_multi_worker(strategy):
    return True
  resolver = strategy.cluster_resolver
  if "chief" in resolver.cluster_spec().jobs:
    return resolver.task_type == "chief"
  return resolver.task_id == 0


def pipeline_batch_size(context, global_batch_size):
  """Examples of one replica's batch, of a global batch shared among all replicas.

  Raises:
    ValueError: the global batch cannot be shared evenly.
  """
  replicas = context.num_replicas_in_sync
  if global_batch_size % replicas:
    raise ValueError(f"--batch_size={global_batch_size} cannot be shared evenly among "
                     f"{replicas} replicas: choose a multiple of {replicas}.")
  return global_batch_size // replicas


def barrier(strategy):
  """Returns when every worker has come here."""
  ones = strategy.run(tf.function(lambda: tf.ones([])))
  strategy.reduce(tf.distribute.ReduceOp.SUM, ones, axis=None)
