# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""SavedModel directories, their manifests and model archives."""
