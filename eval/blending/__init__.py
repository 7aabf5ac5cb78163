# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Blends the predictions of several models and searches for the best ensemble."""
