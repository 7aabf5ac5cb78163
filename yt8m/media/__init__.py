# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads the frames and the sound of media files, by FFmpeg through PyAV.

Nothing here imports TensorFlow: a process that only decodes starts in a moment.
"""
