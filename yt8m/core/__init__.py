# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tools that all packages build on: files, registries, progress, the command shell."""
