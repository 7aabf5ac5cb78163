# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The submission CSV of the video task: the most likely classes of every video.

    VideoId,LabelConfidencePairs
    DiRU,2210 0.803937 2837 0.79531 1402 0.741534
"""

import numpy as np

from yt8m.core import files
from yt8m.export.submissions import whole_output

HEADER = "VideoId,LabelConfidencePairs"


def format_lines(video_ids, classes, scores):
  """Returns one line `id,class score class score …` a video.

  Classes are written with `%i`, scores with `%g`. Source: YouTube-8M starter code,
  `inference.py`; unlike there, ids may be bytes.

  Args:
    video_ids: n strings or byte strings.
    classes: (n, k), best first (`top_classes.TopClasses`).
    scores: (n, k).

  Raises:
    ValueError: ids, classes and scores differ in count.
  """
  scores = np.asarray(scores)
  if np.shape(classes) != scores.shape or len(video_ids) != len(scores):
    raise ValueError(f"{len(video_ids)} ids, classes {np.shape(classes)} and scores "
                     f"{scores.shape} do not belong together.")
  # One template for the whole line is twice as fast as one for each pair. Objects,
  # because `%i` and `%g` want Python's numbers, each of its own type.
  pairs = np.empty((len(scores), 2 * scores.shape[1]), dtype=object)
  pairs[:, 0::2] = classes
  pairs[:, 1::2] = scores
  template = "%s," + " ".join(["%i %g"] * scores.shape[1]) + "\n"
  return [template % (as_text(video_id), *row)
          for video_id, row in zip(video_ids, pairs.tolist(), strict=True)]


def as_text(video_id):
  """Returns an id as TensorFlow (bytes) or Python (str) gives it as a str."""
  return video_id.decode("utf-8") if isinstance(video_id, bytes) else str(video_id)


class CsvWriter(whole_output.WholeOutput):
  """A CSV that is there whole or not at all; base of all kinds of submission.

  Args:
    path: the CSV.
    header: its first line.
    overwrite: replaces an existing file, which is an error otherwise.

  Raises:
    OSError: as `WholeOutput`.
  """

  def __init__(self, path, header, overwrite=False):
    super().__init__(path, overwrite)
    self._header = header

  def _open(self, stack):
    self._file = stack.enter_context(files.atomic_write(self._path))
    self._file.write(self._header + "\n")


class SubmissionWriter(CsvWriter):
  """Writes the submission CSV of the video task, batch after batch.

  >>> with SubmissionWriter("predictions.csv") as writer:
  ...   for video_ids, classes, scores in batches:
  ...     writer.write(video_ids, classes, scores)
  """

  def __init__(self, path, overwrite=False):
    super().__init__(path, HEADER, overwrite)

  def write(self, video_ids, classes, scores):
    """Appends one line a video; arguments and errors as `format_lines`."""
    self._file.write("".join(format_lines(video_ids, classes, scores)))


def read_submission(path):
  """Returns a submission as a dict, id → (classes, scores), in the order of the file.

  Raises:
    ValueError: a line is not `id,class score class score …` (names file and line).
  """
  submission = {}
  with files.open_to_read(path) as file:
    if file.readline().rstrip("\r\n") != HEADER:
      raise ValueError(f"{path}: the first line must be {HEADER}")
    for number, line in enumerate(file, start=2):
      video_id, comma, pairs = line.rstrip("\r\n").partition(",")
      pairs = pairs.split()
      try:
        classes = np.array(pairs[0::2], dtype=np.int64)
        scores = np.array(pairs[1::2], dtype=np.float64)
      except ValueError:
        classes = scores = None
      if not comma or classes is None or len(classes) != len(scores):
        raise ValueError(
            f"{path}, line {number}: expected id,class score class score …, got "
            f"{line[:80]!r}")
      submission[video_id] = classes, scores
  return submission
