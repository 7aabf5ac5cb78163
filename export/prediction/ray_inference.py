# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts shards on a Ray cluster, or on a Ray of this machine alone.

One task a file of records, in actors that load the model once. A worker that dies is
started again and its task repeated; a file that no worker survives is left out like one
that cannot be read. Records, model and output must be where every machine of the cluster
sees them.
"""

import logging
import math
import os
import uuid

import ray
import ray.data
import ray.exceptions
import tensorflow as tf

from yt8m.core import command
from yt8m.core import files
from yt8m.export.prediction import runners

LOCAL = "local"
_TRIES = 4  # of a file whose worker dies
_OBJECT_STORE_BYTES = 2**27  # paths and counts are all that travels


def in_ray(job, parts, paths, advance, num_processes=0, address=LOCAL):
  """Predicts in actors of Ray; a runner as those of `runners.py`.

  Args:
    job, parts, paths: see `runners.in_threads`.
    advance: called once a shard.
    num_processes: actors; 0 stands for one a GPU, or without GPUs for one a machine,
      which has threads of its own. If they are more than the GPUs they share them.
    address: of a cluster; `"local"` starts Ray here, for this job.

  Yields:
    `runners.Finished`.

  Raises:
    ConnectionError: there is no cluster at `address`.
    ChildProcessError: Ray itself failed.
  """
  started = not ray.is_initialized()
  if started:
    _connect(address)
  try:
    ray.data.DataContext.get_current().enable_progress_bars = False
    # One file, one block, one task.
    shards = ray.data.from_items(
        [{"path": path} for path in paths], override_num_blocks=len(paths))
    num_gpus = int(ray.cluster_resources().get("GPU", 0))
    size = num_processes or num_gpus or _num_machines()
    done = shards.map(
        _Predictor, fn_constructor_args=(job, parts, uuid.uuid4().hex),
        compute=ray.data.ActorPoolStrategy(size=size), **_resources(size, num_gpus))
    for row in done.iter_rows():
      if row["fatal"]:
        raise ValueError(row["fatal"])
      advance(row["num_videos"])
      yield runners.Finished(row["path"], row["num_videos"], row["error"] or None)
  except ray.exceptions.RayError as error:
    raise ChildProcessError(
        f"Ray gave up: {str(error).splitlines()[0]} Start again: the files finished so "
        f"far are kept in {parts.directory}.") from error
  finally:
    if started:
      ray.shutdown()


class _Predictor:
  """An actor: predicts one shard after the other with a model of its own."""

  def __init__(self, job, parts, run):
    self._job, self._parts, self._run = job, parts, run

  def __call__(self, row):
    answer = {**row, "num_videos": 0, "error": "", "fatal": ""}
    if self._num_tries(row["path"]) > _TRIES:
      answer["error"] = (f"{row['path']}: {_TRIES} workers died when they predicted it, "
                         "perhaps for lack of memory: try a smaller --batch_size.")
      return answer
    try:
      _, num_videos, error = runners.finish(self._job, self._parts, row["path"])
    except command.USER_ERRORS as fatal:  # no other try would fare better
      return {**answer, "fatal": str(fatal)}
    return {**answer, "num_videos": num_videos, "error": error or ""}

  def _num_tries(self, path):
    """Counts the tries of a file in this run, where the next worker finds the number."""
    counter = self._parts.path(path, f"{self._run}.tries")
    tries = 1
    if tf.io.gfile.exists(counter):
      with files.open_to_read(counter) as file:
        tries += int(file.read())
    with files.atomic_write(counter) as file:
      file.write(str(tries))
    return tries


def _resources(size, num_gpus):
  """What each of `size` actors asks for: a part of a GPU, none of two; or a core."""
  if num_gpus:
    return {"num_gpus": 1 / math.ceil(size / num_gpus)}
  return {"num_cpus": 1}


def _num_machines():
  return sum(node["Alive"] for node in ray.nodes())


def _connect(address):
  logging.getLogger("ray.data").setLevel(logging.ERROR)
  options = {"logging_level": "ERROR",
             "runtime_env": {"env_vars": {
                 "TF_CPP_MIN_LOG_LEVEL": "2",
                 # Several processes may share a GPU.
                 "TF_FORCE_GPU_ALLOW_GROWTH": "true"}}}
  if address == LOCAL:
    options.update(include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES,
                   num_cpus=os.cpu_count())
  ray.init(address, **options)
