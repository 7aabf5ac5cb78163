# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a reader expects of a record, for the errors about a record that is different."""

import dataclasses

from yt8m.core import feature_spec


@dataclasses.dataclass(frozen=True)
class Expected:
  """What a reader reads, and where it is defined.

  Attributes:
    sizes: `{name: size}` of the features.
    num_classes: Number of classes, C.
    of_model: Whether these are those of a trained model. Otherwise flags give them.
    dtypes: `{name: dtype}` of frames that are not 8-bit numbers.
  """
  sizes: dict[str, int]
  num_classes: int
  of_model: bool = False
  dtypes: dict[str, str] = dataclasses.field(default_factory=dict)

  def by(self, flag: str) -> str:
    """Returns who decides, in parentheses."""
    return "(as the model was trained)" if self.of_model else f"({flag})"

  def remedy(self, flag: str, change: str = "Correct") -> str:
    """Returns advice for a record that differs from what a flag says.

    Args:
      flag: The flag; a trained model does not have it.
      change: Verb for it.
    """
    write = ("rite the record again; commands with --skip_bad_records can also go on "
             "without it.")
    return f"W{write}" if self.of_model else f"{change} {flag}, or w{write}"

  def dtype(self, name: str) -> str:
    """Returns the type of the frames of a feature."""
    return self.dtypes.get(name, feature_spec.UINT8)
