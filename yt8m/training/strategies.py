# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Where training runs: on one device, several, several workers, or a TPU."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import registry

NAMES = ("auto", "one_device", "mirrored", "multi_worker")

# Errors of collectives when another worker has ended.
_LOST_WORKER = (tf.errors.UnavailableError, tf.errors.AbortedError,
                tf.errors.CancelledError, tf.errors.DeadlineExceededError,
                tf.errors.InternalError)


def make_strategy(name: str = "auto", num_gpu: int = 1) -> tf.distribute.Strategy:
  """Returns the strategy that `--strategy` names.

  Args:
    name: One of `NAMES`, or `tpu` or `tpu:<name>` to connect to a Cloud TPU. `auto` is
      `multi_worker` if TF_CONFIG is set, `mirrored` for more than one GPU, and
      `one_device` otherwise.
    num_gpu: Largest number of GPUs to use on each worker.

  Raises:
    ValueError: Unknown name, too few GPUs, or TF_CONFIG does not describe a cluster.
  """
  if name == "auto":
    name = ("multi_worker" if os.environ.get("TF_CONFIG")
            else "mirrored" if num_gpu > 1 else "one_device")
  if name == "one_device":
    return tf.distribute.get_strategy()
  if name == "mirrored":
    gpus = tf.config.list_logical_devices("GPU")
    if gpus and len(gpus) < num_gpu:
      raise ValueError(f"--num_gpu={num_gpu}, but TensorFlow sees {len(gpus)}: lower it.")
    devices = gpus[:num_gpu] or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])
  if name == "multi_worker":
    with _waiting_for_workers():
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


def num_workers(strategy: tf.distribute.Strategy) -> int:
  """Returns the number of workers, each with an input pipeline of its own."""
  if not is_multi_worker(strategy):
    return 1
  resolver: Any = strategy.cluster_resolver
  jobs = resolver.cluster_spec().as_dict()
  return sum(len(jobs.get(job, ())) for job in ("chief", "worker"))


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
  sum_over_workers(strategy, 0)


def sum_over_workers(strategy: tf.distribute.Strategy, value: int) -> int:
  """Returns the sum of a number of every worker; every worker must call it.

  Args:
    strategy: Strategy that makes the workers meet; with one worker, nobody is waited for.
    value: Number of this worker.
  """
  if not is_multi_worker(strategy):
    return value
  values = _of_worker(strategy, tf.constant(value, tf.int64), tf.constant(0, tf.int64))
  return int(strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None))


def gather_bytes(strategy: tf.distribute.Strategy, data: bytes) -> list[bytes]:
  """Returns the bytes of every worker, in their order; every worker must call it.

  Args:
    strategy: Strategy that makes the workers meet.
    data: Bytes of this worker, not empty.
  """
  if not is_multi_worker(strategy):
    return [data]
  # Sent as int64, which every implementation of collectives knows.
  numbers = tf.constant(np.frombuffer(data + bytes(-len(data) % 8), np.int64))
  lengths, joined = (
      strategy.gather(_of_worker(strategy, tensor, tensor[:0]), axis=0).numpy()
      for tensor in (tf.constant([len(data)], tf.int64), numbers))
  ends = np.cumsum(-(-lengths // 8))
  return [part.tobytes()[:length]
          for part, length in zip(np.split(joined, ends), lengths, strict=False)]


def _of_worker(strategy: tf.distribute.Strategy, value: tf.Tensor, nothing: tf.Tensor
               ) -> Any:
  """Returns a value of this worker for `strategy`: its first replica brings it.

  The other replicas bring `nothing`.
  """
  once = iter([value])
  return strategy.experimental_distribute_values_from_function(
      lambda context: next(once, nothing))


def input_context(strategy: tf.distribute.Strategy) -> tf.distribute.InputContext:
  """Returns the number and index of the input pipeline of this worker."""
  if not is_multi_worker(strategy):
    return tf.distribute.InputContext()
  resolver: Any = strategy.cluster_resolver
  jobs = resolver.cluster_spec().as_dict()
  tasks = [(kind, index) for kind in ("chief", "master", "worker")
           for index in range(len(jobs.get(kind, [])))]
  return tf.distribute.InputContext(
      len(tasks), tasks.index((resolver.task_type, resolver.task_id)))


@contextlib.contextmanager
def lost_workers_named(strategy: tf.distribute.Strategy, remedy: str) -> Iterator[None]:
  """Turns the errors of collectives that miss a worker into one that says so.

  No worker leaves the block before all have come to its end: what a worker that ends has
  just sent may otherwise be lost.

  Args:
    strategy: Strategy of the block.
    remedy: Sentence about what to do, for the error.

  Raises:
    ConnectionError: Another worker has ended, or cannot be reached.
  """
  try:
    yield
    _leave(strategy)
  except _LOST_WORKER as error:
    if not is_multi_worker(strategy):
      raise
    raise ConnectionError(
        "Another worker has ended or cannot be reached: its own log says why. "
        f"{remedy}") from error


def _leave(strategy: tf.distribute.Strategy) -> None:
  """Returns when every worker has come here, or has left already."""
  try:
    barrier(strategy)
  except _LOST_WORKER as error:
    # The others passed the barrier, so this worker had called it: its work is complete.
    logging.debug("Another worker has left first: %s", error)


@contextlib.contextmanager
def _waiting_for_workers() -> Iterator[None]:
  """Says who is waited for; a signal ends the process at once meanwhile.

  TensorFlow waits without running Python: neither another thread nor a handler of
  signals would run before the last worker has started.
  """
  others = _other_workers()
  logging.info("Waiting until all workers of TF_CONFIG have started: besides this one, "
               "%s.", ", ".join(others) or "none")
  handlers = {number: signal.signal(number, signal.SIG_DFL)
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
  try:
    yield
  finally:
    for number, handler in handlers.items():
      signal.signal(number, handler)


def _other_workers() -> list[str]:
  """Returns the names and addresses of the other workers of TF_CONFIG.

  A `master` becomes the `chief` that TensorFlow expects, also in TF_CONFIG itself.

  Raises:
    ValueError: TF_CONFIG is not what TensorFlow expects.
  """
  text = os.environ.get("TF_CONFIG") or "{}"
  try:
    config = json.loads(text)
    cluster, task = config.get("cluster", {}), config.get("task", {})
    if "master" in cluster:  # what the starter code's jobs call the chief
      if "chief" in cluster:
        raise ValueError("it has a chief and a master")
      cluster["chief"] = cluster.pop("master")
    if task.get("type") == "master":
      task["type"] = "chief"
    os.environ["TF_CONFIG"] = json.dumps(config)
    this = task.get("type", "worker"), int(task.get("index", 0))
    return [f"{kind} {index} ({address})"
            for kind, addresses in cluster.items()
            for index, address in enumerate(addresses) if (kind, index) != this]
  except (ValueError, TypeError, AttributeError) as error:
    raise ValueError(
        f"TF_CONFIG={text!r} is not a cluster ({error}). Write it as "
        '{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", '
        '"index": 0}}, with another index on every worker.') from error
