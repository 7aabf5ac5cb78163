# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Losses of multi-label classification for `compile(loss=…)`, by object or by name."""
# The imports are the public names of this module, so none of them is unused.
# ruff: noqa: F401

from yt8m.models.losses import AsymmetricLoss
from yt8m.models.losses import CrossEntropyLoss
from yt8m.models.losses import HingeLoss
from yt8m.models.losses import LabelLoss
from yt8m.models.losses import SoftmaxLoss
