# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Turns frames and sound into features: published networks, statistics, and models."""
