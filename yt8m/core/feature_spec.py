# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The ground floor: which features a record holds, how wide they are, at which level."""

import dataclasses

VIDEO, FRAME, SEGMENT = LEVELS = ("video", "frame", "segment")

# The frames of YouTube-8M are one second apart and its segments five frames long.
SEGMENT_FRAMES = 5


@dataclasses.dataclass(frozen=True)
class FeatureSpec:
  """Names and sizes of the modalities, in the order in which they are concatenated.

  >>> FeatureSpec.from_flags("rgb, audio", "1024, 128", frame_features=True)
  FeatureSpec(names=('rgb', 'audio'), sizes=(1024, 128), level='frame')

  Attributes:
    names: feature keys of the records, e.g. `("rgb", "audio")`.
    sizes: values per frame (or per video) of each, e.g. `(1024, 128)`.
    level: `"video"` (one float vector a video), `"frame"` (one 8-bit vector a
      frame) or `"segment"` (frame-level records with rated segments).

  Raises:
    ValueError: names and sizes differ in count, a name appears twice, a size is
      not positive, or the level is unknown.
  """
  names: tuple
  sizes: tuple
  level: str

  def __post_init__(self):
    object.__setattr__(self, "names", tuple(self.names))
    object.__setattr__(self, "sizes", tuple(int(size) for size in self.sizes))
    if not self.names:
      raise ValueError("--feature_names is empty: name at least one feature.")
    if len(self.names) != len(self.sizes):
      raise ValueError(
          f"--feature_names has {len(self.names)} entries {list(self.names)} but "
          f"--feature_sizes has {len(self.sizes)} {list(self.sizes)}: give one size "
          "for each name.")
    if len(set(self.names)) != len(self.names):
      raise ValueError(f"--feature_names has a name twice: {list(self.names)}.")
    if any(size < 1 for size in self.sizes):
      raise ValueError(f"--feature_sizes must be positive: {list(self.sizes)}.")
    if self.level not in LEVELS:
      raise ValueError(f"Unknown level {self.level!r}. Valid: {', '.join(LEVELS)}.")

  @classmethod
  def from_flags(cls, feature_names, feature_sizes, frame_features=False,
                 segment_labels=False):
    """Reads the comma-separated flags of the starter code."""
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
  def is_video_level(self):
    return self.level == VIDEO

  @property
  def total_size(self):
    """Size of the concatenated vector."""
    return sum(self.sizes)

  def with_segment_labels(self, segment_labels):
    """This spec for records with rated segments, or without; None: as it is.

    Raises:
      ValueError: video-level features have no segments.
    """
    if segment_labels is None:
      return self
    if self.is_video_level:
      if segment_labels:
        raise ValueError("--segment_labels needs a model of frame-level features; this "
                         "one was trained on video-level features.")
      return self
    return dataclasses.replace(self, level=SEGMENT if segment_labels else FRAME)

  def to_config(self):
    return {"names": list(self.names), "sizes": list(self.sizes), "level": self.level}

  @classmethod
  def from_config(cls, config):
    return cls(config["names"], config["sizes"], config["level"])
