# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up."""

import contextlib
import resource


@contextlib.contextmanager
def full_disk(after):
  """Lets the kernel refuse to make any file larger than `after` bytes.

  The refusal (EFBIG) takes the path of a full disk (ENOSPC): part of a write may
  succeed, the next fails, and so does every flush.
  """
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
