# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Measures models: metrics, stored predictions, ensembles and ablations."""
