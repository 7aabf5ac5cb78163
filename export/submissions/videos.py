# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The submission CSV of the video task: the most likely classes of every video.

    VideoId,LabelConfidencePairs
    DiRU,2210 0.803937 2837 0.79531 1402 0.741534
"""

import abc
import contextlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import IO
from typing import Any
from typing import ClassVar

import numpy as np
import tensorflow as tf

from yt8m.core import files
from yt8m.core import finished
from yt8m.core import video_ids
from yt8m.core.types import PathLike

HEADER = "VideoId,LabelConfidencePairs"


class AtomicOutput(abc.ABC):
  """Base class of every output that receives predictions batch by batch.

  It is a context manager. An existing output, or a directory that cannot be written, is
  an error on entry, before the first prediction is made. If the block raises, the output
  stays as it was before.

  Args:
    path: Path of the output.
    overwrite: Whether an existing output is replaced; otherwise it is an error.
    job: Everything that the output depends on, for `finished.is_by`; None if the output
      need not be recognised.

  Raises:
    FileExistsError: The output exists and `overwrite` is false.
    OSError: The output cannot be written, or the disk is full.
  """

  def __init__(self, path: PathLike, overwrite: bool = False,
               job: Mapping[str, Any] | None = None):
    self._path = path
    self._overwrite = overwrite
    self._before_rename: Callable[[str], Any] = (
        finished.marker(path, job) if job is not None else lambda temporary: None)

  def __enter__(self):
    if not self._overwrite and tf.io.gfile.exists(self._path):
      raise FileExistsError(
          f"{self._path} exists: name another output, or give --overwrite.")
    self._context = self._opened()
    self._context.__enter__()
    return self

  def __exit__(self, *exc_info):
    return self._context.__exit__(*exc_info)

  @abc.abstractmethod
  def _opened(self) -> contextlib.AbstractContextManager[None]:
    """Returns the context within which the output is open."""

  @abc.abstractmethod
  def write(self, ids: Sequence[str | bytes] | np.ndarray, classes: Any,
            scores: Any) -> None:
    """Appends n predictions.

    Args:
      ids: n ids of videos or segments, strings or byte strings.
      classes: Class indices, (n, k), best first.
      scores: Scores of these classes, (n, k).

    Raises:
      ValueError: The arguments differ in their number of rows.
    """


class CsvWriter(AtomicOutput):
  """Base class of the submission CSVs; a subclass sets the header."""

  _header: ClassVar[str]
  _file: IO[str]

  @contextlib.contextmanager
  def _opened(self):
    with files.atomic_write(
        self._path, before_rename=self._before_rename) as self._file:
      self._file.write(self._header + "\n")
      yield


class SubmissionWriter(CsvWriter):
  """Writes the submission CSV of the video task, batch by batch.

  >>> import os, tempfile
  >>> from yt8m.export.submissions import videos
  >>> path = os.path.join(tempfile.mkdtemp(), "predictions.csv")
  >>> with videos.SubmissionWriter(path) as writer:
  ...   writer.write(["DiRU", "PzYl"], [[2210, 7], [1, 0]], [[0.8, 0.75], [0.5, 0.25]])
  >>> print(open(path).read(), end="")
  VideoId,LabelConfidencePairs
  DiRU,2210 0.8 7 0.75
  PzYl,1 0.5 0 0.25
  """

  _header = HEADER

  def write(self, ids, classes, scores):
    self._file.write("".join(format_lines(ids, classes, scores)))


def format_lines(ids: Sequence[str | bytes] | np.ndarray, classes: Any,
                 scores: Any) -> list[str]:
  """Returns one line `id,class score class score …` per video.

  Classes are written with `%i` and scores with `%g`, as in the YouTube-8M starter code,
  `inference.py`. Ids are written as `yt8m.core.video_ids` says.

  Args:
    ids: n ids, strings or byte strings.
    classes: Class indices, (n, k), best first.
    scores: Scores of these classes, (n, k).

  Raises:
    ValueError: The arguments differ in their number of rows.
  """
  classes, scores = np.asarray(classes), np.asarray(scores)
  if classes.shape != scores.shape or len(ids) != len(scores):
    raise ValueError(f"{len(ids)} ids, classes {classes.shape} and scores "
                     f"{scores.shape} do not belong together.")
  # One template for the whole line is twice as fast as one per pair, and lists are filled
  # faster than arrays of objects. `%i` and `%g` need Python numbers of different types.
  pairs: list[Any] = [None] * (2 * scores.size)
  pairs[0::2] = classes.ravel().tolist()
  pairs[1::2] = scores.ravel().tolist()
  width = 2 * scores.shape[1]
  template = "%s," + " ".join(["%i %g"] * scores.shape[1]) + "\n"
  return [template % (video_ids.as_text(video_id), *pairs[row * width:(row + 1) * width])
          for row, video_id in enumerate(ids)]
