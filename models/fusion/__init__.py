# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion of modalities: a list of (batch_size, num_frames, dim_m) -> one tensor."""
