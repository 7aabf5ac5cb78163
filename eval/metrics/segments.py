# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""mAP of a segment submission, in which only some segments of a class are rated."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from yt8m.eval.metrics import segment_labels
from yt8m.eval.metrics.average_precision import average_precision


@dataclasses.dataclass(frozen=True)
class SegmentEvaluation:
  """Quality of a segment submission.

  Attributes:
    aps: Average precision of each submitted class with a positive segment, sorted by
      class.
    num_without_positives: Number of submitted classes without a positive segment, which
      do not count.
    missing_classes: Classes with a positive segment that the submission lacks; as in the
      starter code, they do not count either.
    num_rated: Number of pairs of a class and a segment rated for it.
    num_found: Number of these pairs in the submission.
  """
  aps: dict[int, float]
  num_without_positives: int
  missing_classes: list[int]
  num_rated: int
  num_found: int

  @property
  def map(self) -> float:
    """Mean of `aps`."""
    return float(np.mean(list(self.aps.values())))


def evaluate(submission: Iterable[tuple[int, list[str]]],
             rated_segments: segment_labels.RatedSegments, top_n: int = 0,
             ) -> SegmentEvaluation:
  """Evaluates a segment submission.

  `AP = Σ_r positive(r) · precision(r) / P` over the ranks r of the rated segments of a
  class, where P counts all its positive segments, submitted or not. Segments not rated
  for the class are skipped, since nobody knows whether it occurs there.
  Source: YouTube-8M starter code, `segment_eval_inference.py`.

  Args:
    submission: Pairs of a class and its segment ids, best first.
    rated_segments: Ratings of the segments, positive where > 0.
    top_n: Number of segments of each class to use, rated or not; 0 for all.

  Raises:
    ValueError: A class or one of its rated segments is submitted twice, or no submitted
      class has a positive segment.
  """
  if top_n < 0:
    raise ValueError(f"--top_n={top_n} must be at least 1, or 0 for all.")
  aps, without_positives, num_found = {}, set(), 0
  for class_id, segment_ids in submission:
    if class_id in aps or class_id in without_positives:
      raise ValueError(f"Class {class_id} is in the submission twice.")
    scores = rated_segments.get(class_id, {})
    rated = [i for i in segment_ids[:top_n or None] if i in scores]
    if len(set(rated)) < len(rated):
      raise ValueError(f"Class {class_id} has a segment twice in the submission: "
                       f"{max(rated, key=rated.count)}.")
    num_found += len(rated)
    num_positives = sum(score > 0 for score in scores.values())
    if num_positives:
      aps[class_id] = average_precision(
          -np.arange(len(rated)), [scores[i] for i in rated],
          total_positives=num_positives)
    else:
      without_positives.add(class_id)
  if not aps:
    raise ValueError(
        f"None of the {len(without_positives)} classes of the submission has a positive "
        f"segment among the {len(rated_segments)} rated classes. Do the submission and "
        "the labels belong together?")
  missing = [class_id for class_id, scores in rated_segments.items()
             if class_id not in aps and any(score > 0 for score in scores.values())]
  return SegmentEvaluation(
      aps=dict(sorted(aps.items())), num_without_positives=len(without_positives),
      missing_classes=sorted(missing),
      num_rated=sum(map(len, rated_segments.values())), num_found=num_found)
