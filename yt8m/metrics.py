# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics for `compile(metrics=…)`: GAP, mAP, Hit@k and PERR.

They also have names there: "gap", "map", "hit_at_1" or "hit@1", "perr". Keras loads a
model that was saved with metric objects once this module is imported; names need no
import but `import yt8m`.
"""
# The imports are the public names of this module, so none of them is unused.
# ruff: noqa: F401

from yt8m.eval.metrics.keras_metrics import GlobalAveragePrecision
from yt8m.eval.metrics.keras_metrics import HitAtK
from yt8m.eval.metrics.keras_metrics import MeanAveragePrecision
from yt8m.eval.metrics.keras_metrics import PrecisionAtEqualRecall
