# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How well found scene boundaries agree with the true ones, and with chance.

A boundary is the first frame of a scene; frame 0 is none, since every video begins there.
"""

import numpy as np


def boundaries(segments):
  """First frames of the segments of a video, but for the first segment.

  Args:
    segments: (num_frames,) int, the segment of each frame, −1 for padding at the end.
  """
  segments = np.asarray(segments)
  segments = segments[segments >= 0]
  return np.flatnonzero(np.diff(segments)) + 1


def count_hits(true, found, tolerance=0):
  """Counts the pairs of a true and a found boundary at most `tolerance` frames apart.

  Each boundary is in one pair at most; of sorted boundaries, pairing the earliest that
  fit gives the most pairs.
  """
  true, found = np.sort(true), np.sort(found)
  hits = i = j = 0
  while i < len(true) and j < len(found):
    if abs(true[i] - found[j]) <= tolerance:
      hits, i, j = hits + 1, i + 1, j + 1
    elif true[i] < found[j]:
      i += 1
    else:
      j += 1
  return hits


def precision_recall(true, found, tolerance=0):
  """Precision and recall of the boundaries of all videos together.

  Args:
    true: a list of arrays, the true boundaries of each video.
    found: the same, of a model.
    tolerance: frames by which a boundary may be off.

  Returns:
    `(hits / found boundaries, hits / true boundaries)`; 0 where there are none.
  """
  hits = sum(count_hits(t, f, tolerance) for t, f in zip(true, found, strict=True))
  num_found, num_true = sum(map(len, found)), sum(map(len, true))
  return hits / max(num_found, 1), hits / max(num_true, 1)


def chance(true, found, num_frames, tolerance=0, draws=100, seed=0):
  """Precision and recall of as many boundaries as were found, at random frames.

  Args:
    true, found, tolerance: see `precision_recall`.
    num_frames: frames of each video; boundaries are drawn from 1 … num_frames − 1
      without repetition.
    draws: over which the two are averaged.
    seed: of the draws.
  """
  rng = np.random.default_rng(seed)
  drawn = [precision_recall(
      true, [1 + rng.choice(n - 1, len(f), replace=False)
             for f, n in zip(found, num_frames, strict=True)], tolerance)
           for _ in range(draws)]
  return tuple(np.mean(drawn, axis=0))
