# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""An output that gets only the classes that reach their thresholds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.artifacts.thresholds import Thresholds
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import jobs
from yt8m.export.prediction import named_formats
from yt8m.export.submissions import videos

# Formats whose rows may have different lengths, down to 0.
FORMATS = ("csv", "json", "tfrecord", named_formats.DECISIONS)


def chosen(source: jobs.Source, path: str | None, decide: bool, output_format: str,
           segments: bool) -> Thresholds | None:
  """Returns the thresholds by which predictions are left out; None if none are.

  Args:
    source: Model.
    path: Value of `--thresholds`.
    decide: Value of `--decide`.
    output_format: Value of `--output_format`.
    segments: Whether segments are predicted.

  Raises:
    ValueError: The file holds no thresholds, or those of another model; the model keeps
      none; or the output cannot leave out predictions.
    FileNotFoundError: There is no file of thresholds.
  """
  decisions = output_format == named_formats.DECISIONS
  if not (path or decide or decisions):
    return None
  flag = ("--thresholds" if path else "--decide" if decide
          else f"--output_format={output_format}")
  if segments:
    raise ValueError(f"{flag} decides about videos: leave it out with --segment_labels, "
                     "which ranks the segments of every class.")
  if output_format not in FORMATS:
    raise ValueError(
        f"--output_format={output_format} holds the same number of classes for every "
        f"video: with {flag} choose {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
  if path:
    limits = Thresholds.load(path, source.num_classes)
    limits.check_model(f"--thresholds={path}", source.identity)
    return limits
  limits = None if isinstance(source, checkpoint.Checkpoint) else source.thresholds
  if not limits:
    raise ValueError(f"{source} keeps no thresholds, which {flag} uses: name a file "
                     "with --thresholds, or a --saved_model that was exported with it.")
  return limits


class DecidedOutput:
  """Passes on the decided classes of each video, the best first; there may be none.

  Args:
    output: Output that is open.
    limits: Thresholds of the classes.
  """

  def __init__(self, output: videos.AtomicOutput, limits: Thresholds):
    self._output, self._limits = output, limits

  def write(self, ids: Sequence[str | bytes] | np.ndarray, classes: Any,
            scores: Any) -> None:
    """Appends the decided classes of n videos.

    Args:
      ids: n ids.
      classes: Classes, (n, k), best first.
      scores: Scores of these classes, (n, k).
    """
    for row, decided in enumerate(self._limits.decide(classes, scores)):
      # One video at a time, as each has another number of classes.
      self._output.write(ids[row:row + 1], classes[row:row + 1, decided],
                         scores[row:row + 1, decided])
