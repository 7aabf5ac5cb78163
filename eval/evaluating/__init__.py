# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What `yt8m-eval` evaluates: a training directory or a SavedModel."""
