# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The features of a record: their names, their sizes, and the level of the record."""

import dataclasses
from collections.abc import Iterable

from yt8m.core import fields
from yt8m.core import registry
from yt8m.core.types import Config

VIDEO, FRAME, SEGMENT = LEVELS = ("video", "frame", "segment")

# The frames of YouTube-8M are one second apart, and its segments are five frames long.
SEGMENT_FRAMES = 5


@dataclasses.dataclass(frozen=True, init=False)
class FeatureSpec:
  """Names and sizes of the modalities, in the order in which they are concatenated.

  >>> from yt8m.core import feature_spec
  >>> feature_spec.FeatureSpec.from_flags("rgb, audio", "1024, 128", frame_features=True)
  FeatureSpec(names=('rgb', 'audio'), sizes=(1024, 128), level='frame')

  Attributes:
    names: Feature keys of the records, e.g. `("rgb", "audio")`.
    sizes: Number of values of each feature, e.g. `(1024, 128)`.
    level: `"video"` (one float vector a video), `"frame"` (one 8-bit vector a frame) or
      `"segment"` (frame-level records with rated segments).

  Raises:
    ValueError: There are no names, there is not one size for each name, a name appears
      twice, a size is not positive, or the level is unknown.
  """
  names: tuple[str, ...]
  sizes: tuple[int, ...]
  level: str

  def __init__(self, names: Iterable[str], sizes: Iterable[int], level: str):
    names, sizes = tuple(names), tuple(int(size) for size in sizes)
    if not names:
      raise ValueError("--feature_names is empty: name at least one feature.")
    if len(names) != len(sizes):
      raise ValueError(
          f"--feature_names has {len(names)} entries {list(names)} but --feature_sizes "
          f"has {len(sizes)} {list(sizes)}: give one size for each name.")
    if len(set(names)) != len(names):
      raise ValueError(f"--feature_names has a name twice: {list(names)}.")
    if any(size < 1 for size in sizes):
      raise ValueError(f"--feature_sizes must be positive: {list(sizes)}.")
    if level not in LEVELS:
      raise registry.unknown("level", level, LEVELS)
    for field, value in (("names", names), ("sizes", sizes), ("level", level)):
      object.__setattr__(self, field, value)

  @classmethod
  def from_flags(cls, feature_names: str, feature_sizes: str,
                 frame_features: bool = False, segment_labels: bool = False
                 ) -> "FeatureSpec":
    """Returns the spec that the comma-separated flags of the starter code describe."""
    names = [name.strip() for name in feature_names.split(",") if name.strip()]
    try:
      sizes = [int(size) for size in feature_sizes.split(",") if size.strip()]
    except ValueError as error:
      raise ValueError(
          f"--feature_sizes={feature_sizes!r} must be whole numbers separated by "
          "commas, e.g. 1024,128.") from error
    level = SEGMENT if segment_labels else FRAME if frame_features else VIDEO
    return cls(names, sizes, level)

  @property
  def is_video_level(self) -> bool:
    return self.level == VIDEO

  @property
  def total_size(self) -> int:
    """Size of the concatenated vector."""
    return sum(self.sizes)

  def with_segment_labels(self, segment_labels: bool | None) -> "FeatureSpec":
    """Returns the spec of records with rated segments, or without.

    Args:
      segment_labels: Whether the records have rated segments. None: as in this spec.

    Raises:
      ValueError: Video-level features have no segments.
    """
    if self.is_video_level and segment_labels:
      raise ValueError("--segment_labels needs a model of frame-level features, but this "
                       "one was trained on video-level features.")
    if self.is_video_level or segment_labels is None:
      return self
    return dataclasses.replace(self, level=SEGMENT if segment_labels else FRAME)

  def to_config(self) -> Config:
    return {"names": list(self.names), "sizes": list(self.sizes), "level": self.level}

  @classmethod
  def from_config(cls, config: Config) -> "FeatureSpec":
    """Reads what `to_config` returns.

    Raises:
      ValueError: An entry is missing or has another type, or as the class.
    """
    fields.check(config, {
        "names": fields.list_of(fields.NAME, "texts"),
        "sizes": fields.list_of(fields.COUNT, "whole numbers from 1 on"),
        "level": fields.one_of(LEVELS)})
    return cls(config["names"], config["sizes"], config["level"])
