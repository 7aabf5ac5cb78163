# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation: (batch_size, num_frames, dim) -> (batch_size, units)."""
