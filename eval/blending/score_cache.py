# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The scores of a search, kept in a file, so that none is computed twice."""

import math
import os
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import files
from yt8m.core import types

_FORMAT = 1
_SAVE_SECONDS = 10.0


class ScoreCache:
  """GAP of subsets, computed where unknown, and saved from time to time and at the end.

  Args:
    names: Names of the candidates.
    path: Path of a JSON file, replaced as a whole; None keeps the scores in memory only.
    fingerprint: Digest of everything that the scores depend on.

  Raises:
    ValueError: The file has another fingerprint, or is not such a file.
  """

  def __init__(self, names: Sequence[str], path: types.PathLike | None = None,
               fingerprint: str = ""):
    self._names, self._path, self._fingerprint = names, path, fingerprint
    self._lock = threading.Lock()
    self._saved = time.monotonic()
    self._gaps = {}  # by sorted names
    if path is not None and tf.io.gfile.exists(os.fspath(path)):
      self._gaps = _read(path, fingerprint)
    self._num_saved = len(self._gaps)

  def __enter__(self) -> "ScoreCache":
    return self

  def __exit__(self, *_) -> None:
    self.save()

  def get(self, subset: tuple[int, ...],
          score: Callable[[tuple[int, ...]], float]) -> float:
    """Returns GAP of a tuple of indices: the known one, or `score(subset)`.

    Raises:
      ValueError: The score is NaN.
    """
    models = tuple(sorted(self._names[i] for i in subset))
    if models in self._gaps:
      return self._gaps[models]
    gap = float(score(subset))
    if math.isnan(gap):
      raise ValueError(f"The blend of {', '.join(models)} has the GAP NaN. Write the "
                       "predictions of these models again.")
    with self._lock:
      self._gaps[models] = gap
    if time.monotonic() - self._saved > _SAVE_SECONDS:
      self.save()
    return gap

  def save(self) -> None:
    """Writes the file if there are new scores."""
    with self._lock:
      if self._path is not None and len(self._gaps) > self._num_saved:
        # JSON objects cannot have tuples as keys. Floats keep every bit.
        files.write_json(
            self._path, {"format": _FORMAT, "fingerprint": self._fingerprint,
                         "gaps": sorted(self._gaps.items())}, indent=None)
      self._saved, self._num_saved = time.monotonic(), len(self._gaps)


def _read(path, fingerprint):
  def parse(content: dict[str, Any]) -> tuple[str, dict[tuple[str, ...], float]]:
    if content["format"] != _FORMAT:
      raise ValueError(f"its format is not {_FORMAT}")
    return content["fingerprint"], {
        tuple(models): float(gap) for models, gap in content["gaps"]}

  other, gaps = files.read_json(
      path, kind="a file of search scores",
      remedy="Delete it to search from the start", parse=parse)
  if other != fingerprint:
    raise ValueError(
        f"{os.fspath(path)} holds the scores of another search, with other members, "
        f"predictions or averaging ({other}, not {fingerprint}): give another "
        "--output_dir, or delete the file to search from the start.")
  return gaps
