# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The definitions of the metrics, in plain Python, one element after another.

Of equal scores, positives come first (tie_order 1) or last (-1).
"""

import numpy as np


def average_precision(scores, labels, top_n=None, total=None, tie_order=0):
  """Average precision of one list, rank by rank."""
  ranked = sorted(zip(scores, labels, strict=True),
                  key=lambda pair: (-pair[0], -tie_order * pair[1]))
  total = sum(labels) if total is None else total
  total = total if top_n is None else min(total, top_n)
  hits, ap = 0, 0.0
  for rank, (_, label) in enumerate(ranked[:top_n], start=1):
    hits += label
    ap += label * hits / rank
  return ap / total if total else 0.0


def metrics(predictions, labels, top_k=20, top_n=None, tie_order=0):
  """All metrics of the starter code, video by video and class by class."""
  num_videos, num_classes = predictions.shape
  hit, perr = 0, 0.0
  lists = [([], []) for _ in range(num_classes)]  # scores and labels of each class
  for scores, row in zip(predictions.tolist(), labels.astype(int).tolist(), strict=True):
    order = sorted(range(num_classes), key=lambda c, scores=scores, row=row: (
        -scores[c], -tie_order * row[c], c))
    hit += row[order[0]]
    hits_at_recall = sum(row[c] for c in order[:sum(row)] if scores[c] > 0)
    perr += hits_at_recall / max(sum(row), 1)
    for c in order[:top_k]:
      lists[c][0].append(scores[c])
      lists[c][1].append(row[c])
  positives = labels.sum(axis=0)
  aps = [average_precision(*lists[c], top_n, positives[c], tie_order)
         for c in range(num_classes) if positives[c]]
  all_scores, all_labels = (sum(parts, []) for parts in zip(*lists, strict=True))
  return {"avg_hit_at_one": hit / num_videos, "avg_perr": perr / num_videos,
          "gap": average_precision(all_scores, all_labels, None, positives.sum(),
                                   tie_order),
          "aps": aps, "map": np.mean(aps) if aps else 0.0}
