# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Formulas in numpy that several packages share."""

import numpy as np

# YouTube-8M stores a value of the range [-2, 2] in 8 bits, at the centre of its bucket:
# x = q * SCALE + OFFSET, so that 0 stands for -1.9921875 and 255 for 2.0078125.
SCALE = 4.0 / 255.0
OFFSET = 4.0 / 512.0 - 2.0
# The values that 0 and 255 stand for.
Range = tuple[float, float]
YOUTUBE_8M = (OFFSET, OFFSET + 4.0)


def quantize(x: np.ndarray, bounds: Range = YOUTUBE_8M) -> np.ndarray:
  """Returns the bytes whose `dequantize` is nearest to `x`, clipped to 0 … 255.

  >>> import numpy as np
  >>> from yt8m.core import numerics
  >>> numerics.quantize(np.array([-3.0, 0.0, 2.0078125]))
  array([  0, 127, 255], dtype=uint8)
  """
  low, high = bounds
  return np.clip(np.rint((x - low) * (255 / (high - low))), 0, 255).astype(np.uint8)


def dequantize(q: np.ndarray, bounds: Range = YOUTUBE_8M) -> np.ndarray:
  """Returns `x = q·(high − low)/255 + low`, in float32 as the starter code computes it.

  For YouTube-8M, this is `q·4/255 + 4/512 − 2`.

  >>> import numpy as np
  >>> from yt8m.core import numerics
  >>> numerics.dequantize(np.array([0, 255], np.uint8))
  array([-1.9921875,  2.0078125], dtype=float32)
  """
  low, high = bounds
  return q.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)


def logit(p: np.ndarray | float, epsilon: float,
          upper_epsilon: float | None = None) -> np.ndarray:
  """Returns `ln p − ln(1 − p)`, for p clipped to [epsilon, 1 − upper_epsilon].

  >>> import numpy as np
  >>> from yt8m.core import numerics
  >>> numerics.logit(np.array([0.0, 0.5]), 1e-3).round(3)
  array([-6.907,  0.   ])

  Args:
    p: Probabilities, of any shape. The result has their floating-point type.
    epsilon: Smallest probability, and distance of the largest one from 1.
    upper_epsilon: Distance of the largest probability from 1, if it differs.
  """
  p = np.clip(p, epsilon, 1 - (epsilon if upper_epsilon is None else upper_epsilon))
  return np.log(p) - np.log1p(-p)
