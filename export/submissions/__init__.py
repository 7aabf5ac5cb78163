# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads, writes and checks prediction files in the Kaggle format."""
