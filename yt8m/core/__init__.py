# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Files, registries, progress and the command shell: what every layer builds on."""
