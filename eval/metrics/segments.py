# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""mAP of a segment submission, where only some segments of a class are rated."""

import dataclasses

import numpy as np

from yt8m.eval.metrics.streaming import average_precision


@dataclasses.dataclass(frozen=True)
class SegmentEvaluation:
  """How good a segment submission is.

  Attributes:
    aps: average precision of each submitted class with a positive segment, sorted
      by class.
    num_without_positives: submitted classes without one; these do not count.
    missing_classes: classes with a positive segment which the submission lacks; the
      starter code does not count these either.
    num_rated: rated segments, each once for every class that it is rated for.
    num_found: how many of these the submission has.
  """
  aps: dict
  num_without_positives: int
  missing_classes: list
  num_rated: int
  num_found: int

  @property
  def map(self):
    """Mean of `aps`."""
    return float(np.mean(list(self.aps.values())))


def evaluate(submission, rated_segments, top_n=0):
  """Evaluates a segment submission.

  Segments that are not rated for a class are passed over: nobody knows whether it
  shows there. `AP = Σ_r positive(r) · precision(r) / P` over the ranks r of the rated
  ones, P counting all positive segments of the class, submitted or not.
  Source: YouTube-8M starter code, `segment_eval_inference.py`.

  Args:
    submission: pairs of a class and its segment ids, best first
      (`export.segment_submission.read_segment_submission`).
    rated_segments: dict, class → segment id → score, positive where > 0
      (`segment_labels.read_rated_segments`).
    top_n: looks at the first n segments of each class only, rated or not; 0 at all.

  Raises:
    ValueError: a class or one of its rated segments is submitted twice, or no
      submitted class has a positive segment.
  """
  if top_n < 0:
    raise ValueError(f"--top_n={top_n} must be at least 1, or 0 for all.")
  aps, without_positives, num_found = {}, set(), 0
  for class_id, segment_ids in submission:
    if class_id in aps or class_id in without_positives:
      raise ValueError(f"Class {class_id} is in the submission twice.")
    scores = rated_segments.get(class_id, {})
    found = [i for i in segment_ids[:top_n or None] if i in scores]
    if len(set(found)) < len(found):
      raise ValueError(f"Class {class_id} has a segment twice in the submission: "
                       f"{max(found, key=found.count)}.")
    num_found += len(found)
    num_positives = sum(score > 0 for score in scores.values())
    if num_positives:
      aps[class_id] = average_precision(
          -np.arange(len(found)), [scores[i] for i in found],
          total_positives=num_positives)
    else:
      without_positives.add(class_id)
  if not aps:
    raise ValueError(
        f"None of the {len(without_positives)} classes of the submission has a positive "
        f"segment among the {len(rated_segments)} rated classes: do the submission and "
        "the labels belong together?")
  missing = [class_id for class_id, scores in rated_segments.items()
             if class_id not in aps and any(score > 0 for score in scores.values())]
  return SegmentEvaluation(
      aps=dict(sorted(aps.items())), num_without_positives=len(without_positives),
      missing_classes=sorted(missing),
      num_rated=sum(map(len, rated_segments.values())), num_found=num_found)
