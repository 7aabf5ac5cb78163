# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores that a search has computed: kept in a file, so that none is computed twice."""

import json
import math
import os
import threading
import time

import tensorflow as tf

from yt8m.core import files

_FORMAT = 1
_SAVE_SECONDS = 10.0


class SearchScores:
  """GAP of subsets, computed where it is not known; saved now and then, and at the end.

  Args:
    names: of the candidates.
    path: JSON, replaced as a whole; None keeps the scores in memory only.
    fingerprint: of all that the scores depend on.

  Raises:
    ValueError: the file is of another fingerprint, or no such file.
  """

  def __init__(self, names, path=None, fingerprint=""):
    self._names, self._path, self._fingerprint = names, path, fingerprint
    self._lock = threading.Lock()
    self._saved = time.monotonic()
    self._gaps = {}  # of sorted names
    if path is not None and tf.io.gfile.exists(path):
      self._gaps = _read(path, fingerprint)
    self._num_saved = len(self._gaps)

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self.save()

  def get(self, subset, score):
    """GAP of a tuple of indices: the known one, or `score(subset)`.

    Raises:
      ValueError: the score is NaN.
    """
    models = tuple(sorted(self._names[i] for i in subset))
    if models in self._gaps:
      return self._gaps[models]
    gap = float(score(subset))
    if math.isnan(gap):
      raise ValueError(f"The blend of {', '.join(models)} has the GAP NaN: write the "
                       "predictions of these models again.")
    with self._lock:
      self._gaps[models] = gap
      if time.monotonic() - self._saved > _SAVE_SECONDS:
        self._write()
    return gap

  def save(self):
    """Writes the file, if there is anything new."""
    with self._lock:
      if len(self._gaps) > self._num_saved:
        self._write()

  def _write(self):
    if self._path is not None:
      # JSON has no keys of several strings; repr, which it uses, keeps every bit.
      content = {"format": _FORMAT, "fingerprint": self._fingerprint,
                 "gaps": list(self._gaps.items())}
      with files.atomic_write(self._path) as file:
        json.dump(content, file)
    self._saved, self._num_saved = time.monotonic(), len(self._gaps)


def _read(path, fingerprint):
  with files.open_to_read(path) as file:
    text = file.read()
  try:
    content = json.loads(text)
    if content["format"] != _FORMAT:
      raise KeyError("format")
    theirs = content["fingerprint"]
    gaps = {tuple(models): float(gap) for models, gap in content["gaps"]}
  except (ValueError, KeyError, TypeError) as error:
    raise ValueError(f"{os.fspath(path)} holds no scores of a search ({error!r}): delete "
                     "it to search from the start.") from error
  if theirs != fingerprint:
    raise ValueError(
        f"{os.fspath(path)} holds scores of another search, of other members, "
        f"predictions or averaging ({theirs}, not {fingerprint}): give another "
        "--output_dir, or delete the file to search from the start.")
  return gaps
