# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""An output that is there whole or not at all."""

import contextlib

import tensorflow as tf


class WholeOutput:
  """Base of what writes predictions.

  As a context manager it opens the file: an existing output or an unwritable directory
  is an error there, before the first prediction is made. If the block raises, the output
  is as it was before.

  Args:
    path: the file.
    overwrite: replaces an existing file, which is an error otherwise.

  Raises:
    OSError: the output exists, cannot be written, or the disk is full.
  """

  def __init__(self, path, overwrite=False):
    self._path = path
    self._overwrite = overwrite

  def __enter__(self):
    if not self._overwrite and tf.io.gfile.exists(self._path):
      raise FileExistsError(
          f"{self._path} exists: name another output, or give --overwrite.")
    with contextlib.ExitStack() as stack:
      self._open(stack)
      self._exit = stack.pop_all()
    return self

  def __exit__(self, *exc_info):
    return self._exit.__exit__(*exc_info)

  def _open(self, stack):
    """Opens the file; what is left to do at the end of the block goes on `stack`."""
    # Each output defines its own.
    raise NotImplementedError
