# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts shards one beside the other, in threads or in processes of this machine.

Every runner takes a job, the files of records and the `Parts` to keep, and yields a
`Finished` for each file as it is done. The parts are the same whatever runs.
"""

import concurrent.futures
import multiprocessing
from concurrent.futures import process
from typing import NamedTuple

from yt8m.data import records
from yt8m.export.prediction import shards


class Finished(NamedTuple):
  """A shard that is done with.

  Attributes:
    path: the file of records.
    num_videos: how many were predicted.
    error: why the file cannot be read; None if it was.
  """
  path: str
  num_videos: int
  error: str | None = None


def finish(job, parts, path, advance=lambda num_videos: None):
  """Predicts a shard and keeps its part; a file that cannot be read is told of."""
  try:
    predictions = shards.predict(job, path, advance)
  except records.RecordError as error:
    return Finished(path, 0, str(error))
  parts.write(path, predictions)
  return Finished(path, predictions.num_videos)


def in_threads(job, parts, paths, advance, num_threads=1):
  """Predicts `num_threads` shards at a time in this process, and at least two.

  Two, so that the first records of one are read while the last of another are predicted.

  Args:
    job: `shards.Job`.
    parts: `prediction_parts.Parts`.
    paths: files of records.
    advance: called with numbers of videos, as they are predicted, from any thread.
    num_threads: shards at a time.

  Yields:
    `Finished`.
  """
  shards.load(job)
  with concurrent.futures.ThreadPoolExecutor(max(2, num_threads)) as pool:
    yield from _as_finished(pool, [
        pool.submit(finish, job, parts, path, advance) for path in paths])


def in_processes(job, parts, paths, advance, num_processes):
  """Predicts in `num_processes` processes, each with a model of its own.

  Args: see `in_threads`; `advance` is called once a shard.

  Raises:
    ChildProcessError: a process died.
  """
  pool = concurrent.futures.ProcessPoolExecutor(
      num_processes, multiprocessing.get_context("spawn"))
  try:
    with pool:
      for finished in _as_finished(
          pool, [pool.submit(finish, job, parts, path) for path in paths]):
        advance(finished.num_videos)
        yield finished
  except process.BrokenProcessPool as error:
    raise ChildProcessError(
        f"One of --num_processes={num_processes} was killed, perhaps for lack of "
        "memory. Start again, with fewer processes or a smaller --batch_size: the files "
        f"finished so far are kept in {parts.directory}.") from error


def _as_finished(pool, futures):
  try:
    for future in concurrent.futures.as_completed(futures):
      yield future.result()
  finally:
    pool.shutdown(cancel_futures=True)
