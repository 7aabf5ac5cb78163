# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Searches flags and hyperparameters of `yt8m-train` for the best validation metric."""
