# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the two original extractors of YouTube-8M share: their 8 bits, and their files."""

from collections.abc import Sequence

import numpy as np
from absl import logging

from yt8m.extractors import base
from yt8m.extractors import weights

LARGEST = 2.0


def scaled_to_bytes(features: np.ndarray) -> np.ndarray:
  """Returns `(x + 2) · 255 / 4`, for x clipped to [-2, 2]: what becomes 8 bits.

  >>> import numpy as np
  >>> from yt8m.extractors import original
  >>> original.scaled_to_bytes(np.array([-3.0, 0.0, 1.0, 2.0]))
  array([  0.  , 127.5 , 191.25, 255.  ])
  """
  return (np.clip(features, -LARGEST, LARGEST) + LARGEST) * (255.0 / (2 * LARGEST))


class OriginalExtractor(base.Extractor):
  """An extractor whose weights are published, but not part of any package.

  A subclass lists its files in `published`. Their SHA-256 are logged; a list of them in
  `SHA256SUMS` beside the files is checked.
  """
  published: dict[str, str] = {}

  def __init__(self, weights_dir: str = ""):
    super().__init__(weights_dir)
    self._paths, self._digests = weights.find(self.name, weights_dir, self.published)
    for name, digest in self._digests.items():
      logging.info("%s: %s has the SHA-256 %s.", self.name, name, digest)

  def digests(self) -> Sequence[str]:
    return list(self._digests.values())

  def _array(self, name: str, shape: tuple[int, ...], key: str = "") -> np.ndarray:
    """Returns the array of a `.npy` file, or one of a `.npz` file, as float32.

    Args:
      name: Name of the file.
      shape: Shape that the array must have at least.
      key: Name of the array in a `.npz` file.

    Raises:
      ValueError: The file does not hold such an array.
    """
    path = self._paths[name]
    try:
      array = np.load(path, allow_pickle=False)
      array = array[key] if key else array
      if array.ndim != len(shape) or any(
          size < least for size, least in zip(array.shape, shape, strict=True)):
        raise ValueError(f"it has the shape {array.shape}, not {shape}")
      return array.astype(np.float32)
    except Exception as error:  # zip files raise many
      raise ValueError(f"{path} does not hold {key or 'the array'} "
                       f"({' '.join(str(error).split())[:200]}): copy it again from "
                       f"{self.published[name]}.") from error
