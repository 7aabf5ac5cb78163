# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Arrays on disk that are written through a memory map."""

import numpy as np
import pytest

from tests.helpers import full_disk
from yt8m.eval.predictions import array_file


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (5,)])
def test_what_is_written_is_read(tmp_path, shape):
  path = str(tmp_path / "array.npy")
  array = array_file.create(path, np.float16, shape)
  assert not np.any(array)
  expected = np.arange(array.size, dtype=np.float16).reshape(shape)
  array[...] = expected
  array.flush()
  for read in (np.load(path), np.load(path, mmap_mode="r")):
    assert read.dtype == np.float16 and read.shape == shape
    np.testing.assert_array_equal(read, expected)
  array_file.save(path, expected[:1].astype("S3"))
  np.testing.assert_array_equal(np.load(path), expected[:1].astype("S3"))


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(tmp_path):
  path = str(tmp_path / "array.npy")
  with full_disk.full_disk(after=4096), pytest.raises(
      OSError, match=f"no room for an array of 400,128 bytes: '{path}'"):
    array_file.create(path, np.float32, (10_000, 10))
