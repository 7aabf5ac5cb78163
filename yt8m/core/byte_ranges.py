# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Values that the bytes 0 and 255 of features stand for, by the name of the feature."""

import math
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from yt8m.core import fields
from yt8m.core import numerics

# What a JSON file holds.
KIND = fields.object_of(fields.list_of(fields.NUMBER, "numbers"), "lists of numbers")


def checked(ranges: Mapping[str, Iterable[float]], names: Collection[str]
            ) -> dict[str, numerics.Range]:
  """Returns ranges as pairs of floats.

  >>> from yt8m.core import byte_ranges
  >>> byte_ranges.checked({"rgb": [0, 6]}, ["rgb", "audio"])
  {'rgb': (0.0, 6.0)}

  Args:
    ranges: Smallest and largest value by feature.
    names: Names of the features that are stored in bytes.

  Raises:
    ValueError: A range is empty or not finite, or its feature is not stored in bytes.
  """
  pairs = {}
  for name, bounds in ranges.items():
    bounds = tuple(map(float, bounds))
    if name not in names or len(bounds) != 2 or not (
        -math.inf < bounds[0] < bounds[1] < math.inf):
      raise ValueError(f"The range of the feature {name} is {bounds}, but must be two "
                       "numbers, the smaller one first, of a feature of bytes.")
    pairs[name] = bounds[0], bounds[1]
  return pairs
