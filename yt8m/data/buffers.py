# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Memory for arrays that become tensors without a copy, and are used again afterwards.

A batch of frames takes 44 MB. The system fills new memory with zeros, page by page, which
costs as much as copying the frames; memory that is used again costs nothing.
"""

import collections
import ctypes
import math
import weakref
from typing import Any

import numpy as np

_ALIGNMENT = 64  # bytes; TensorFlow copies arrays that begin elsewhere
_KEPT = 4  # arrays that are kept for later: batches of a reader that are on their way


class Buffers:
  """Arrays in memory that is used again once nothing refers to it any more.

  Args:
    size: Number of bytes of the largest array.
  """

  def __init__(self, size: int):
    self._size = size
    self._idle = collections.deque(maxlen=_KEPT)

  def array(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Returns an array of any content."""
    count = math.prod(shape)
    if not 0 < count * np.dtype(dtype).itemsize <= self._size:
      return np.empty(shape, dtype)
    try:
      memory: Any = self._idle.pop()
    except IndexError:
      memory = np.empty(self._size + _ALIGNMENT, np.uint8)
    # Every view of the array keeps this object, not only the first one.
    owner: Any = (ctypes.c_char * len(memory)).from_buffer(memory)
    weakref.finalize(owner, self._idle.append, memory).atexit = False
    first = -memory.ctypes.data % _ALIGNMENT
    return np.frombuffer(owner, dtype, count, first).reshape(shape)
