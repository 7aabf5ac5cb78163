# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The records of an epoch: in which way they are read, and by which input pipeline."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.data import framing
from yt8m.data import local_records
from yt8m.data import locators
from yt8m.data import records

# The files are shared among input pipelines if no share is larger than the mean by this
# factor. Otherwise the pipelines with small shares would wait at the end of an epoch.
_UNEVEN = 1.1


def are_local(files: Sequence[str]) -> bool:
  """Returns whether `local_records` can read files: all are local, none is compressed."""
  return locators.has_fast_checksums() and all(map(framing.is_plain, files))


def order(files: Sequence[str]) -> str:
  """Returns how `read` shuffles files: in "windows" of files or in a "buffer"."""
  return "windows" if are_local(files) else "buffer"


def read(files: list[str], window: int, num_readers: int, seed: int, epoch: int | None,
         shard: tuple[int, int] | None, *, record_bytes: int, deterministic: bool,
         skip_corrupt_records: bool, incidents: records.Incidents
         ) -> tuple[Any, list[str]]:
  """Returns the records of an epoch.

  Args:
    files: Paths.
    window: Number of records that are shuffled together; 0 keeps their order.
    num_readers: Number of files that are shuffled together, or read at the same time.
    seed: Seed of the order.
    epoch: Number of the epoch; None: each iteration is another one.
    shard: `(number, index)`, which keeps every `number`-th record of each file.
    record_bytes: Expected size of a record.
    deterministic: Whether the order is the same every time.
    skip_corrupt_records: Whether the rest of a damaged file is left out.
    incidents: `Incidents` in which such files are counted.

  Returns:
    `LocalRecords`, or what `records.read` returns; and the files in the order of the
    indexes that come with the records.
  """
  if are_local(files):
    sizes = (window, num_readers) if window else ()
    return local_records.LocalRecords(
        files, seed if window else None, epoch, *sizes, shard=shard,
        skip_corrupt_records=skip_corrupt_records, incidents=incidents,
        deterministic=deterministic), files
  draws = np.random.default_rng([seed, epoch or 0])
  if window:
    files = [files[i] for i in draws.permutation(len(files))]
  reshuffled = bool(window) and epoch is None
  dataset = records.read(
      files, num_readers, record_bytes, shard,
      shuffle_seed=int(draws.integers(2**31)) if reshuffled else None,
      deterministic=deterministic, skip_corrupt_records=skip_corrupt_records,
      incidents=incidents)
  if window:
    dataset = dataset.shuffle(window, seed=int(draws.integers(2**31)),
                              reshuffle_each_iteration=reshuffled)
  return dataset, files


def share(files: list[str], pipeline: tf.distribute.InputContext
          ) -> tuple[list[str], tuple[int, int] | None]:
  """Returns the files of an input pipeline, and the `shard` of their records, for `read`.

  The largest file goes first, always to the pipeline with the fewest bytes.
  """
  shares: list[list[str]] = [[] for _ in range(pipeline.num_input_pipelines)]
  loads = np.zeros(len(shares), np.int64)
  sizes = {path: tf.io.gfile.stat(path).length for path in files}
  for path in sorted(files, key=lambda path: -sizes[path]):
    smallest = int(np.argmin(loads))
    shares[smallest].append(path)
    loads[smallest] += sizes[path]
  if loads.max() > _UNEVEN * loads.mean():
    return files, (len(shares), pipeline.input_pipeline_id)
  own = set(shares[pipeline.input_pipeline_id])
  return [path for path in files if path in own], None
