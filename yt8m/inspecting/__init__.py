# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Says what records hold, what is wrong with them, and how two sets of them differ."""
