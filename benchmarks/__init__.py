# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks and studies; none is part of the library."""

# First: it starts `python -m benchmarks.…` again with huge pages, as it does commands.
import yt8m  # noqa: F401
