# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predicts the files of records that are left, and writes the output meanwhile.

The parts are joined in the order of the files as they become complete, so that what is
written does not depend on who finishes first. Of what has been written nothing stays in
memory.
"""

import contextlib
import json
import threading

import tensorflow as tf
from absl import logging

from yt8m.core import files
from yt8m.core import progress
from yt8m.data import records


def run(runner, paths, parts, writer, max_failed_shards=0):
  """Predicts what is left of a job, and writes all of it.

  Args:
    runner: function `(paths, advance)` that yields `runners.Finished`, see there.
    paths: all files of records, in the order of the output.
    parts: `prediction_parts.Parts`, in which the runner keeps what is finished.
    writer: has `write(ids, classes, scores)`.
    max_failed_shards: files that may be left out because they cannot be read.

  Returns:
    The number of predictions written, and `{path: error}` of what was left out.

  Raises:
    RecordError: more files cannot be read; the error of the last one.
  """
  finished = {path for path in paths if parts.is_finished(path)}
  missing = [path for path in paths if path not in finished]
  logging.info("%d of %d files left.", len(missing), len(paths))
  failed, order, written = {}, iter(paths), 0
  waiting = next(order, None)

  def write_what_is_next():
    nonlocal waiting, written
    while waiting in finished or waiting in failed:
      if waiting in finished:
        predictions = parts.read(waiting)
        writer.write(predictions.ids, predictions.classes, predictions.scores)
        written += len(predictions.ids)
      waiting = next(order, None)

  if missing:
    with contextlib.closing(runner(missing, _Advance(missing))) as results:
      for path, _, error in results:
        if error is None:
          finished.add(path)
        else:
          failed[path] = error
          if len(failed) > max_failed_shards:
            raise records.RecordError(error)
          logging.warning("Left out: %s", error)
        write_what_is_next()
  write_what_is_next()
  return written, failed


def write_dead_letters(path, failed):
  """Writes the list of the files that were left out, or removes that of an earlier run.

  Args:
    path: of the list, JSON: `[{"file": …, "error": …}, …]`.
    failed: `{file: error}`.
  """
  if failed:
    with files.atomic_write(path) as file:
      json.dump([{"file": name, "error": failed[name]} for name in sorted(failed)], file,
                indent=2)
      file.write("\n")
  elif tf.io.gfile.exists(path):
    tf.io.gfile.remove(path)


class _Advance:
  """Adds up videos, from any thread, and logs how fast they are predicted."""
  _SECONDS = 10.0

  def __init__(self, paths):
    self._report = progress.Periodic(self._SECONDS, progress.Progress(
        records.estimate_count(paths), "videos"))
    self._videos = 0
    self._lock = threading.Lock()

  def __call__(self, num_videos):
    with self._lock:
      self._videos += num_videos
      for line in self._report(self._videos):
        logging.info("%d videos | %s", self._videos, line)
