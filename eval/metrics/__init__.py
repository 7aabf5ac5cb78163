# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics of predictions: Hit@k, PERR, GAP and mAP."""

from yt8m.eval.metrics.streaming import EvaluationMetrics
from yt8m.eval.metrics.streaming import gap
from yt8m.eval.metrics.streaming import hit_at_k
from yt8m.eval.metrics.streaming import mean_average_precision
from yt8m.eval.metrics.streaming import precision_at_equal_recall_rate

__all__ = [
    "EvaluationMetrics",
    "gap",
    "hit_at_k",
    "mean_average_precision",
    "precision_at_equal_recall_rate",
]
