# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Simulates a full disk."""

import contextlib
import resource


@contextlib.contextmanager
def full_disk(after):
  """Makes the kernel refuse to extend any file beyond `after` bytes.

  The error (EFBIG) behaves like that of a full disk (ENOSPC): part of a write may
  succeed, and the next write and every flush fail.
  """
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
