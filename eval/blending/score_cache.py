# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The steps of a search, kept in a file, so that none is computed twice."""

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

_FORMAT = 2
_SAVE_SECONDS = 10.0


# A way to weigh, models and their weights, and the model that is added, if any.
Step = tuple[str, tuple[int, ...], tuple[float, ...], int | None]
Scored = tuple[tuple[float, ...], float]


class ScoreCache:
  """Weights and GAP of steps: computed where unknown, and saved now and then.

  A step says everything that its result depends on besides the predictions, so that
  searches with other options can share a file.

  Args:
    names: Names of the candidates.
    path: Path of a JSON file, replaced as a whole; None keeps the scores in memory only.
    fingerprint: Digest of the predictions that the scores depend on.

  Raises:
    ValueError: The file has another fingerprint, or is not such a file.
  """

  def __init__(self, names: Sequence[str], path: types.PathLike | None = None,
               fingerprint: str = ""):
    self._names, self._path, self._fingerprint = names, path, fingerprint
    self._lock = threading.Lock()
    self._saved = time.monotonic()
    self._scored = {}
    if path is not None and tf.io.gfile.exists(os.fspath(path)):
      self._scored = _read(path, fingerprint)
    self._num_saved = len(self._scored)

  def __enter__(self) -> "ScoreCache":
    return self

  def __exit__(self, *_) -> None:
    self.save()

  def get(self, step: Step, score: Callable[[], Scored]) -> Scored:
    """Returns weights and GAP of a step: the known ones, or `score()`.

    Raises:
      ValueError: GAP is NaN.
    """
    way, models, weights, added = step
    models = [*models, *([] if added is None else [added])]
    models = tuple(self._names[i] for i in models)
    if (way, models, weights) in self._scored:
      return self._scored[way, models, weights]
    new_weights, gap = score()
    if math.isnan(gap):
      raise ValueError(f"The blend of {', '.join(models)} has the GAP NaN. Write the "
                       "predictions of these models again.")
    with self._lock:
      self._scored[way, models, weights] = new_weights, gap
    if time.monotonic() - self._saved > _SAVE_SECONDS:
      self.save()
    return new_weights, gap

  def save(self) -> None:
    """Writes the file if there are new scores."""
    with self._lock:
      if self._path is not None and len(self._scored) > self._num_saved:
        # JSON objects cannot have tuples as keys. Floats keep every bit.
        files.write_json(
            self._path, {"format": _FORMAT, "fingerprint": self._fingerprint,
                         "steps": sorted(self._scored.items())}, indent=None)
      self._saved, self._num_saved = time.monotonic(), len(self._scored)


def _read(path, fingerprint):
  def parse(content: dict[str, Any]) -> tuple[str, dict[Any, Scored]]:
    if content["format"] == 1:  # of equal weights only
      return content["fingerprint"], {}
    if content["format"] != _FORMAT:
      raise ValueError(f"its format is not {_FORMAT}")
    return content["fingerprint"], {
        (str(way), tuple(map(str, models)), tuple(map(float, weights))):
        (tuple(map(float, new_weights)), float(gap))
        for (way, models, weights), (new_weights, gap) in content["steps"]}

  other, scored = files.read_json(
      path, kind="a file of search scores",
      remedy="Delete it to search from the start", parse=parse)
  if other != fingerprint:
    raise ValueError(
        f"{os.fspath(path)} holds the scores of another search, with other members, "
        f"predictions or averaging ({other}, not {fingerprint}): give another "
        "--output_dir, or delete the file to search from the start.")
  return scored
