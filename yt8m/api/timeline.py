# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which seconds of a video speak for a label: the scores of a window that slides."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from yt8m.api import predictor as predictors


@dataclasses.dataclass(frozen=True)
class Timeline:
  """The scores of the windows of a video.

  Attributes:
    starts: Seconds at which the windows start, (num_windows,).
    ends: Seconds at which they end, (num_windows,).
    scores: Scores of all classes in each window, (num_windows, num_classes).
  """
  starts: np.ndarray
  ends: np.ndarray
  scores: np.ndarray

  def spans(self, index: int, share: float = 0.5) -> list[tuple[float, float]]:
    """Returns the parts of the video that speak for a class, in seconds.

    They are the windows w with s_w ≥ share · max_v s_v, joined where they touch.

    Args:
      index: Number of the class.
      share: Share of the largest score of a window that a window must reach.
    """
    scores, spans = self.scores[:, index], []
    for start, end, score in zip(self.starts, self.ends, scores, strict=True):
      if score < share * scores.max():
        continue
      if spans and start <= spans[-1][1]:
        spans[-1] = (spans[-1][0], float(end))
      else:
        spans.append((float(start), float(end)))
    return spans


def of_video(predictor: predictors.Predictor, features: Mapping[str, np.ndarray],
             window_secs: float = 5.0, fps: float = 1.0) -> Timeline:
  """Scores every window of a video by a model of frames, as if it were the whole video.

  Windows do not overlap; the last one may be shorter.

  Args:
    predictor: The model.
    features: Features by name, (num_frames, size).
    window_secs: Length of a window.
    fps: Number of frames a second.
  """
  frames = max(1, round(window_secs * fps))
  length = min(predictor.signature.max_frames, *map(len, features.values()))
  starts = np.arange(0, length, frames)
  ends = np.minimum(starts + frames, length)
  scores = predictor.predict({
      name: [values[start:end] for start, end in zip(starts, ends, strict=True)]
      for name, values in features.items()})
  return Timeline(starts / fps, ends / fps, scores)
