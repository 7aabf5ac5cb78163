# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts the record files that are left, and hands over the parts in order.

Parts are handed over in the order of the record files as soon as they are complete, so
the output does not depend on which worker finishes first, and none of it stays in memory.
"""

import collections
import contextlib
import json
import os
import threading
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from yt8m.core import files
from yt8m.core import progress
from yt8m.core import temporaries
from yt8m.core.types import PathLike
from yt8m.data import records
from yt8m.export.prediction import parts as prediction_parts
from yt8m.export.prediction import runners


def run(parts: prediction_parts.Parts, runner: runners.Runner,
        record_files: Sequence[str], hand_over: Callable[[str], None],
        max_failed: int = 0) -> dict[str, str]:
  """Predicts what is left of a job.

  Args:
    parts: Parts of the job that are finished, to which the runner adds.
    runner: Runner that predicts the record files that are left.
    record_files: All record files, in the order of the output.
    hand_over: Function that is called with every record file whose part is finished, in
      their order.
    max_failed: Number of files that may be left out because they cannot be read.

  Returns:
    `{record file: error}` of the files that are left out.

  Raises:
    RecordError: More files cannot be read; the error of the last one.
  """
  finished = {file for file in record_files if parts.is_finished(file)}
  missing = [file for file in record_files if file not in finished]
  logging.info("%d of %d files left.", len(missing), len(record_files))
  failed, order = {}, iter(record_files)
  incidents = collections.Counter()
  waiting = next(order, None)

  def hand_over_what_is_next():
    nonlocal waiting
    while waiting in finished or waiting in failed:
      if waiting in finished:
        hand_over(waiting)
      waiting = next(order, None)

  if missing:
    with (contextlib.closing(_Advance(missing)) as advance,
          contextlib.closing(runner(parts, missing, advance)) as results):
      for result in results:
        incidents.update(result.incidents)
        if result.error is None:
          finished.add(result.record_file)
        else:
          failed[result.record_file] = result.error
          if len(failed) > max_failed:
            raise records.RecordError(result.error)
          logging.warning("Left out: %s", result.error)
        hand_over_what_is_next()
  hand_over_what_is_next()
  records.Incidents.log_summary(incidents)
  return failed


def write_dead_letters(path: PathLike, failed: Mapping[str, str]) -> None:
  """Writes the list of the files that were left out, or removes that of an earlier run.

  Args:
    path: Path of the list, JSON: `[{"file": …, "error": …}, …]`.
    failed: `{record file: error}`.
  """
  check_dead_letters(path)
  if not files.is_remote(path):
    temporaries.sweep(os.fspath(path))
  if failed:
    files.write_json(path, [{"file": name, "error": failed[name]}
                            for name in sorted(failed)])
  elif tf.io.gfile.exists(path):
    tf.io.gfile.remove(path)


def check_dead_letters(path: PathLike) -> None:
  """Raises FileExistsError if there is something at `path` that is not such a list."""
  if not files.is_remote(path) and os.path.islink(path):
    raise FileExistsError(f"{path} is a symbolic link, which is not followed: delete it.")
  if not tf.io.gfile.exists(path):
    return
  if not files.is_remote(path):
    files.check_replaceable(path)  # Opening a pipe would wait for ever.
  try:
    with files.open_to_read(path) as file:
      entries = json.loads(file.read())
    if entries and all(entry.keys() == {"file", "error"} for entry in entries):
      return
  except (OSError, ValueError, TypeError, AttributeError):
    pass
  raise FileExistsError(f"{path} is not replaced: it is not a list of files that could "
                        "not be read. Move it away, or name another --output_file.")


class _Advance:
  """Adds up videos, from any thread, and logs how fast they are predicted."""
  _SECONDS = 10.0

  def __init__(self, record_files):
    self._report = progress.Periodic(
        self._SECONDS, records.estimate_count(record_files), "videos")
    self._videos = 0
    self._lock = threading.Lock()

  def __call__(self, num_videos):
    with self._lock:
      self._videos += num_videos
      self._report(self._videos, f"{self._videos} videos", videos=self._videos)

  def close(self):
    self._report.close()
