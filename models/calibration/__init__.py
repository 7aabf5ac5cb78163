# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What corrects the scores of a trained model: `yt8m-calibrate` fits it."""
