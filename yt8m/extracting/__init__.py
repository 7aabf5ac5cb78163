# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Turns a list of media files into records: what `yt8m-extract` does."""
