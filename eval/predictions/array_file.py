# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Arrays of any size as .npy files, written through a memory map."""

import math
import os

import numpy as np


def create(path, dtype, shape):
  """Returns a new, writable memory map, all zeros, of a .npy file.

  The disk space is taken at once: to write into a map of a file that the disk has no
  room for would end the process (SIGBUS) instead of raising an error.

  Args:
    path: a local file.
    dtype: of the array.
    shape: of the array.

  Raises:
    OSError: the disk has no room for it, or `path` cannot be written.
  """
  dtype, shape = np.dtype(dtype), tuple(map(int, shape))
  with open(path, "wb") as file:
    np.lib.format.write_array_header_1_0(file, {
        "descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False,
        "shape": shape})
    size = file.tell() + math.prod(shape) * dtype.itemsize
    try:
      file.truncate(size)
      if hasattr(os, "posix_fallocate"):  # macOS has none
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
      raise OSError(error.errno, f"{error.strerror}: no room for an array of {size:,} "
                    "bytes", path) from error
  return np.load(path, mmap_mode="r+")


def save(path, array):
  """Writes an array; unlike `np.save`, it notices that the disk is full in any case."""
  saved = create(path, array.dtype, array.shape)
  saved[...] = array
  saved.flush()
