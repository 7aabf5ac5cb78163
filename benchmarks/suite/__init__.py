# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Parts of `benchmarks/run_all.py`, each with a title, a note and `rows(quick)`."""
