# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of every parser: damaged inputs must give our own errors, and nothing else."""
