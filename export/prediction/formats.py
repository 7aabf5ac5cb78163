# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions as .npz and as TFRecords.

For CSV see `submissions/videos.py`, for formats with names of classes `named_formats.py`.

    csv        VideoId,LabelConfidencePairs
    npz        ids (n,) bytes, classes (n, k) int32, scores (n, k) float32
    tfrecord   one Example a video: id, class_indexes (k,) int64, predictions (k,) float
"""

import contextlib
import io
import os
import tempfile
import zipfile
from typing import IO
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import files
from yt8m.core import video_ids
from yt8m.export.submissions import videos


class NpzWriter(videos.AtomicOutput):
  """Writes the arrays of all videos, which need not fit into memory.

  Until their number is known, the rows are kept in temporary files.
  """

  def write(self, ids, classes, scores):
    ids = video_ids.as_bytes(ids)
    rows = {"ids": ids, "classes": np.asarray(classes, np.int32),
            "scores": np.asarray(scores, np.float32)}
    if len({len(x) for x in rows.values()}) > 1:
      raise ValueError(f"{self._path}: {len(ids)} ids for {len(classes)} rows of classes "
                       f"and {len(scores)} of scores.")
    for name, column in self._columns.items():
      column.append(rows[name])

  @contextlib.contextmanager
  def _opened(self):
    # On the disk of the output, which has room for it, and not on a small one for
    # temporary files.
    folder = None if files.is_remote(self._path) else os.path.dirname(
        os.path.realpath(self._path))
    with (files.atomic_write(self._path, "wb", self._before_rename) as file,
          contextlib.ExitStack() as stack):
      self._columns = {
          name: _Column(stack, folder) for name in ("ids", "classes", "scores")}
      yield
      with zipfile.ZipFile(_Appended(file), "w") as archive:
        for name, column in self._columns.items():
          with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
            column.save(entry)


class _Column:
  """The rows of an array, kept on disk until their number is known."""

  def __init__(self, stack: contextlib.ExitStack, folder: str | None):
    self._file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
    self._parts: list[tuple[np.dtype, tuple[int, ...]]] = []

  def append(self, rows: np.ndarray) -> None:
    if len(rows):
      self._file.write(rows.tobytes())
      self._parts.append((rows.dtype, rows.shape))

  def save(self, entry: IO[bytes]) -> None:
    """Writes the array as .npy, with ids as wide as the longest."""
    dtype = max((dtype for dtype, _ in self._parts), key=lambda dtype: dtype.itemsize,
                default=np.dtype("S1"))
    length = sum(shape[0] for _, shape in self._parts)
    row = self._parts[0][1][1:] if self._parts else ()
    np.lib.format.write_array_header_1_0(entry, {
        "descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False,
        "shape": (length, *row)})
    self._file.seek(0)
    for stored, shape in self._parts:
      rows = np.fromfile(self._file, stored, int(np.prod(shape)))
      entry.write(rows.astype(dtype).tobytes())


class _Appended(io.RawIOBase):
  """A file that zipfile only appends to, since remote files cannot seek."""

  def __init__(self, file: Any):
    super().__init__()
    self._file = file

  def write(self, data: Any, /) -> int:
    self._file.write(data)
    return len(data)


class RecordWriter(videos.AtomicOutput):
  """Writes a TFRecord file of Examples."""

  def write(self, ids, classes, scores):
    for video_id, row, values in zip(
        video_ids.as_bytes(ids), classes, scores, strict=True):
      self._writer.write(tf.train.Example(features=tf.train.Features(feature={
          "id": tf.train.Feature(bytes_list=tf.train.BytesList(
              value=[video_id])),
          "class_indexes": tf.train.Feature(int64_list=tf.train.Int64List(value=row)),
          "predictions": tf.train.Feature(float_list=tf.train.FloatList(value=values)),
      })).SerializeToString(deterministic=True))

  @contextlib.contextmanager
  def _opened(self):
    with (files.atomic_path(self._path, self._before_rename) as temporary,
          tf.io.TFRecordWriter(temporary) as self._writer):
      yield


WRITERS = {"csv": videos.SubmissionWriter, "npz": NpzWriter,
           "tfrecord": RecordWriter}
