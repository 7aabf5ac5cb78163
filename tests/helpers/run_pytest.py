# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs one test file under Bazel, which starts programs and does not know pytest."""

import sys

import pytest

if __name__ == "__main__":
  sys.exit(pytest.main(["--import-mode=importlib", "-ra", *sys.argv[1:]]))
