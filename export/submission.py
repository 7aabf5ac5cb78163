# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The submission CSV of the video task: the most likely classes of every video.

    VideoId,LabelConfidencePairs
    DiRU,2210 0.803937 2837 0.79531 1402 0.741534
"""

import contextlib

import numpy as np
import tensorflow as tf

from yt8m import files

HEADER = "VideoId,LabelConfidencePairs"


def top_classes(predictions, top_k):
  """Returns the `top_k` best classes of every row and their scores, best first.

  Of equal scores the lower class comes first.

  Args:
    predictions: `(batch_size, num_classes)`.
    top_k: at least 1, at most `num_classes`.

  Returns:
    `classes`, `scores`: arrays `(batch_size, top_k)`.

  Raises:
    ValueError: `top_k` is out of range, or a prediction is not a number.
  """
  predictions = np.asarray(predictions)
  num_classes = predictions.shape[1]
  if not 1 <= top_k <= num_classes:
    raise ValueError(
        f"--top_k={top_k} must be between 1 and the number of classes, {num_classes}.")
  bad_rows = np.flatnonzero(np.isnan(predictions).any(axis=1))
  if bad_rows.size:
    raise ValueError(
        f"The predictions of {bad_rows.size} of {len(predictions)} rows, first of row "
        f"{bad_rows[0]}, are not numbers (NaN): has the model diverged in training?")
  scores, classes = tf.math.top_k(predictions, top_k)
  return classes.numpy(), scores.numpy()


def format_lines(video_ids, predictions, top_k, whitelist_mask=None):
  """Returns one line `id,class score class score …` a video, best class first.

  Classes are written with `%i`, scores with `%g`. Source: YouTube-8M starter code,
  `inference.py`; unlike there, ids may be bytes, the predictions are left as they
  are, and ties go to the lower class.

  Args:
    video_ids: `batch_size` strings or byte strings.
    predictions: `(batch_size, num_classes)`.
    top_k: classes a line.
    whitelist_mask: `(num_classes,)`, multiplies every row.

  Raises:
    ValueError: as `top_classes`; or ids and predictions differ in count.
  """
  predictions = np.asarray(predictions)
  if whitelist_mask is not None:
    predictions = predictions * whitelist_mask
  classes, scores = top_classes(predictions, top_k)
  # One template for the whole line is twice as fast as one for each pair. Objects,
  # because `%i` and `%g` want Python's numbers, each of its own type.
  pairs = np.empty((len(predictions), 2 * top_k), dtype=object)
  pairs[:, 0::2] = classes
  pairs[:, 1::2] = scores
  template = "%s," + " ".join(["%i %g"] * top_k) + "\n"
  return [template % (as_text(video_id), *row)
          for video_id, row in zip(video_ids, pairs.tolist(), strict=True)]


def as_text(video_id):
  """Returns an id as TensorFlow (bytes) or Python (str) gives it as a str."""
  return video_id.decode("utf-8") if isinstance(video_id, bytes) else str(video_id)


class CsvWriter:
  """A CSV that is there whole or not at all; base of both kinds of submission.

  As a context manager it opens the file and writes the header: an existing output
  or an unwritable directory is an error there, before the first prediction is made.
  If the block raises, the output is as it was before.

  Args:
    path: the CSV.
    header: its first line.
    overwrite: replaces an existing file, which is an error otherwise.

  Raises:
    OSError: the output exists, cannot be written, or the disk is full.
  """

  def __init__(self, path, header, overwrite=False):
    self._path = path
    self._header = header
    self._overwrite = overwrite

  def __enter__(self):
    if not self._overwrite and tf.io.gfile.exists(self._path):
      raise FileExistsError(
          f"{self._path} exists: name another output, or give --overwrite.")
    with contextlib.ExitStack() as stack:
      self._file = stack.enter_context(files.atomic_write(self._path))
      self._file.write(self._header + "\n")
      self._exit = stack.pop_all()
    return self

  def __exit__(self, *exc_info):
    return self._exit.__exit__(*exc_info)


class SubmissionWriter(CsvWriter):
  """Writes the submission CSV of the video task, batch after batch.

  >>> with SubmissionWriter("predictions.csv", top_k=20) as writer:
  ...   for video_ids, predictions in batches:
  ...     writer.write(video_ids, predictions)
  """

  def __init__(self, path, top_k=20, overwrite=False):
    super().__init__(path, HEADER, overwrite)
    self._top_k = top_k

  def write(self, video_ids, predictions):
    """Appends one line a video; arguments and errors as `format_lines`."""
    self._file.writelines(format_lines(video_ids, predictions, self._top_k))


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
