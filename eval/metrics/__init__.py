# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics of predictions: Hit@k, PERR, GAP and mAP."""
# The imports are the public names of this package, so none of them is unused.
# ruff: noqa: F401

from yt8m.eval.metrics.streaming import EvaluationMetrics
from yt8m.eval.metrics.streaming import gap
from yt8m.eval.metrics.streaming import hit_at_k
from yt8m.eval.metrics.streaming import mean_average_precision
from yt8m.eval.metrics.streaming import precision_at_equal_recall_rate
