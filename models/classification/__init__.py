# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Classification: (batch_size, units) -> scores in [0, 1], (batch_size, num_classes)."""
