# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts record files side by side, in threads or in processes of this machine.

A runner takes the `Parts` to add to, the record files and a function that counts videos.
It yields a `Finished` for each file as soon as it is done. All runners leave the same
parts. The runner on Ray: `ray_runner.py`.
"""

import concurrent.futures
import dataclasses
import functools
import multiprocessing
import os
import threading
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Sequence
from concurrent.futures import process

from absl import flags
from absl import logging

from yt8m.core import log_lines
from yt8m.core import network
from yt8m.core import signals
from yt8m.data import records
from yt8m.export.prediction import jobs
from yt8m.export.prediction import parts as prediction_parts

LOCAL_RAY = "local"  # Value of --ray_address that starts Ray on this machine.

# What `define_flags` defines belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()


@dataclasses.dataclass(frozen=True)
class Finished:
  """A record file that is done.

  Attributes:
    record_file: Path of the file.
    num_videos: Number of videos that were predicted.
    error: Why the file cannot be read; None if it was read.
    incidents: Number of records that were left out or changed, by kind: those of the
      file, and of others that the same process has read meanwhile.
  """
  record_file: str
  num_videos: int
  error: str | None = None
  incidents: dict[str, int] = dataclasses.field(default_factory=dict)


Results = Generator[Finished, None, None]
Runner = Callable[[prediction_parts.Parts, Sequence[str], jobs.Advance], Results]


def define_flags() -> None:
  """Defines the flags that choose a runner, for the command that calls this."""
  flags.DEFINE_enum("runner", "local", ["local", "ray"],
                    "Predict on this machine, or on Ray (pip install 'yt8m[ray]').")
  flags.DEFINE_integer("num_processes", 0, "Number of processes, each with a model of "
                       "its own. 0: only this process; with Ray, one process for each "
                       "GPU, or without GPUs one for each machine.", 0)
  flags.DEFINE_string("ray_address", LOCAL_RAY, "Address of a Ray cluster; 'local' "
                      "starts Ray on this machine.")


def chosen(num_threads: int = 1) -> Runner:
  """Returns the runner that the flags of `define_flags` choose.

  Args:
    num_threads: Number of record files at a time, in a single process.

  Raises:
    ValueError: Ray is not installed.
  """
  values = flags.FLAGS
  if values.runner == "ray":
    if values.ray_address == LOCAL_RAY:  # before Ray is imported
      network.protect_local_ray()
    try:
      from yt8m.export.prediction import ray_runner
    except ImportError as error:
      raise ValueError(f"--runner=ray needs Ray ({error}): pip install 'yt8m[ray]'."
                       ) from error
    return functools.partial(ray_runner.in_ray, num_processes=values.num_processes,
                             address=values.ray_address)
  if values.num_processes:
    return functools.partial(in_processes, num_processes=values.num_processes)
  return functools.partial(in_threads, num_threads=num_threads)


def finish(parts: prediction_parts.Parts, record_file: str,
           advance: jobs.Advance = lambda num_videos: None) -> Finished:
  """Predicts a record file and keeps its part, or reports that it cannot be read."""
  num_videos = 0

  def count(more):
    nonlocal num_videos
    signals.check()
    num_videos += more
    advance(more)

  try:
    part = jobs.predict(parts.job, record_file, count)
  except records.RecordError as error:
    return Finished(record_file, 0, str(error), jobs.incidents(parts.job))
  parts.write(record_file, part)
  return Finished(record_file, num_videos, incidents=jobs.incidents(parts.job))


def in_threads(parts: prediction_parts.Parts, record_files: Sequence[str],
               advance: jobs.Advance, num_threads: int = 1) -> Results:
  """Predicts `num_threads` record files at a time in this process, but at least two.

  With two, the first records of one file are read while the last of another are
  predicted.

  Args:
    parts: Parts to add to.
    record_files: Record files to predict.
    advance: Function that is called with numbers of videos as they are predicted, from
      any thread.
    num_threads: Number of record files at a time.
  """
  jobs.load(parts.job)
  with concurrent.futures.ThreadPoolExecutor(max(2, num_threads)) as pool:
    yield from _as_finished(pool, [
        pool.submit(finish, parts, file, advance) for file in record_files])


def in_processes(parts: prediction_parts.Parts, record_files: Sequence[str],
                 advance: jobs.Advance, num_processes: int) -> Results:
  """Predicts in `num_processes` processes, each with a model of its own.

  Args:
    parts: Parts to add to.
    record_files: Record files to predict.
    advance: Function that is called with the number of videos of every finished file.
    num_processes: Number of processes.

  Raises:
    ChildProcessError: A process died.
  """
  pool = concurrent.futures.ProcessPoolExecutor(
      num_processes, multiprocessing.get_context("spawn"), _end_with_parent)
  try:
    with pool:
      with signals.hidden_from_children():  # which the first files start
        futures = [pool.submit(finish, parts, file) for file in record_files]
      for finished in _as_finished(pool, futures):
        advance(finished.num_videos)
        yield finished
  except process.BrokenProcessPool as error:
    raise ChildProcessError(
        f"One of --num_processes={num_processes} was killed, perhaps for lack of "
        "memory. Start again, with fewer processes or a smaller --batch_size: the files "
        f"finished so far are kept in {parts.directory}.") from error


def _end_with_parent() -> None:
  """Ends this process when its parent is killed; it would wait for work for ever."""
  log_lines.follow(logging.get_absl_logger())

  def watch(parent):
    parent.join()
    os._exit(1)

  threading.Thread(target=watch, args=(multiprocessing.parent_process(),),
                   daemon=True).start()


def _as_finished(pool, futures):
  try:
    for future in concurrent.futures.as_completed(futures):
      yield future.result()
  finally:
    pool.shutdown(cancel_futures=True)
