# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of media files and records, as people read them: `yt8m-predict`."""
