# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts record files on a Ray cluster, or on Ray on this machine alone.

Each record file is a task, and actors that have loaded the model once work through the
tasks. A worker that dies is started again and its task repeated. A file that no worker
survives is left out like one that cannot be read. Records, model and output must be where
every machine of the cluster sees them.
"""

import contextlib
import json
import logging
import math
import os
import threading
import time
import uuid
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import ray
import ray.data
import ray.exceptions
import tensorflow as tf
from absl import logging as absl_logging

from yt8m.core import command
from yt8m.core import current_folder
from yt8m.core import files
from yt8m.core import log_lines
from yt8m.core import network
from yt8m.core import signals
from yt8m.export.prediction import jobs
from yt8m.export.prediction import parts as prediction_parts
from yt8m.export.prediction import runners

_TRIES = 4  # For a file whose worker dies.
_OBJECT_STORE_BYTES = 2**27  # Only paths and counts travel.
_END_SECS = 4.0  # Less than `signals` leaves a command that was stopped.


def in_ray(parts: prediction_parts.Parts, record_files: Sequence[str],
           advance: jobs.Advance, num_processes: int = 0, address: str = runners.LOCAL_RAY
           ) -> runners.Results:
  """Predicts in actors of Ray; a runner like those of `runners.py`.

  Args:
    parts: Parts to add to.
    record_files: Record files to predict.
    advance: Function that is called with the number of videos of every finished file.
    num_processes: Number of actors. 0 means one for each GPU, or without GPUs one for
      each machine, which has threads of its own. Actors that outnumber the GPUs share
      them.
    address: Address of a cluster; `"local"` starts Ray on this machine.

  Raises:
    ConnectionError: There is no cluster at `address`.
    ChildProcessError: Ray itself failed.
  """
  if not ray.is_initialized():
    _connect(address)  # For later jobs too: Ray ends with this process.
  threads = threading.enumerate()
  try:
    ray.data.DataContext.get_current().enable_progress_bars = False
    # One file, one block, one task.
    tasks = ray.data.from_items(
        [{"record_file": file} for file in record_files],
        override_num_blocks=len(record_files))
    num_gpus = int(ray.cluster_resources().get("GPU", 0))
    size = num_processes or num_gpus or _num_machines()
    predictor: Any = _Predictor  # Ray takes classes as well as functions.
    done = tasks.map(
        predictor, fn_constructor_args=(parts, uuid.uuid4().hex, os.getcwd()),
        compute=ray.data.ActorPoolStrategy(size=size), **_resources(size, num_gpus))
    for row in done.iter_rows():
      if row["fatal"]:
        raise ValueError(row["fatal"])
      advance(row["num_videos"])
      yield runners.Finished(row["record_file"], row["num_videos"], row["error"] or None,
                             json.loads(row["incidents"]))
  except (GeneratorExit, signals.Stopped):
    _end(set(threading.enumerate()).difference(threads), parts)
    raise
  except ray.exceptions.RayError as error:
    raise ChildProcessError(
        f"Ray gave up: {str(error).splitlines()[0]} Start again: the files finished so "
        f"far are kept in {parts.directory}.") from error


def _end(threads: Iterable[threading.Thread], parts: prediction_parts.Parts) -> None:
  """Ends Ray, some of whose processes would otherwise outlive this one.

  Args:
    threads: Threads of Ray Data. Ray ends this process when one of them calls it after
      `ray.shutdown`. They end soon after their dataset is no longer read, except the
      prefetcher, which only waits.
    parts: Parts that its workers may be writing when Ray kills them.
  """
  end = time.monotonic() + _END_SECS
  for thread in threads:
    if thread.name != "Prefetcher":
      thread.join(max(0, end - time.monotonic()))
  ray.shutdown()
  while parts.sweep() and time.monotonic() < end:  # They may take a moment to die.
    time.sleep(0.1)


class _Predictor:
  """An actor that predicts one record file after another with a model of its own."""

  def __init__(self, parts: prediction_parts.Parts, run: str, folder: str):
    """Creates an actor.

    Args:
      parts: Parts to add to.
      run: Name of this run.
      folder: Folder that relative paths start from, on machines that have it.
    """
    self._parts, self._run = parts, run
    log_lines.follow(absl_logging.get_absl_logger())
    current_folder.load_kernels()
    with contextlib.suppress(OSError):
      os.chdir(folder)

  def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
    record_file = row["record_file"]
    answer = {**row, "num_videos": 0, "error": "", "fatal": "",
              "incidents": "{}"}
    if self._num_tries(record_file) > _TRIES:
      answer["error"] = (f"{record_file}: {_TRIES} workers died when they predicted it, "
                         "perhaps for lack of memory: try a smaller --batch_size.")
      return answer
    try:
      finished = runners.finish(self._parts, record_file)
    except command.USER_ERRORS as fatal:  # Another try would fail too.
      return {**answer, "fatal": str(fatal)}
    return {**answer, "num_videos": finished.num_videos, "error": finished.error or "",
            "incidents": json.dumps(finished.incidents)}

  def _num_tries(self, record_file: str) -> int:
    """Counts the tries of a file in this run, where the next worker finds the number."""
    counter = self._parts.path(record_file, f"{self._run}.tries")
    tries = 1
    if tf.io.gfile.exists(counter):
      with files.open_to_read(counter) as file:
        tries += int(file.read())
    with files.atomic_write(counter) as file:
      file.write(str(tries))
    return tries


def _resources(size: int, num_gpus: int) -> dict[str, Any]:
  """Returns what each of `size` actors asks for: a share of one GPU, or a core."""
  if num_gpus:
    return {"num_gpus": 1 / math.ceil(size / num_gpus)}
  return {"num_cpus": 1}


def _num_machines() -> int:
  return sum(node["Alive"] for node in ray.nodes())


def _connect(address: str) -> None:
  logging.getLogger("ray.data").setLevel(logging.ERROR)
  options = {"logging_level": "ERROR",
             "runtime_env": {"env_vars": {
                 "TF_CPP_MIN_LOG_LEVEL": "2",
                 **log_lines.variables(),
                 # Several processes may share a GPU.
                 "TF_FORCE_GPU_ALLOW_GROWTH": "true"}}}
  if address == runners.LOCAL_RAY:
    options.update(include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES,
                   num_cpus=os.cpu_count())
  network.start_ray(ray.init, address, "--ray_address", **options)
