# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Paths that TensorFlow does not take for patterns."""

import functools
import os
import re
import tempfile

from yt8m.core import files
from yt8m.core import signals
from yt8m.core.types import PathLike


def literal(directory: PathLike) -> str:
  """Returns a path of a directory by which TensorFlow reads checkpoints in it.

  It takes brackets, stars and question marks for a pattern, and has no way to escape
  them. Another name of a local directory, a link in a temporary folder, has none.
  """
  directory = os.fspath(directory)
  if files.is_remote(directory) or not re.search(r"[][*?\\]", directory):
    return directory
  return os.path.join(_alias(os.path.abspath(directory)).name, "alias")


@functools.cache
def _alias(directory):
  folder = tempfile.TemporaryDirectory()  # It is removed when the process ends.
  signals.remove_if_stopped(folder.name)
  os.symlink(directory, os.path.join(folder.name, "alias"))
  return folder
