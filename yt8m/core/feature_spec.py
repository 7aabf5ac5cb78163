# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The features of a record: their names, sizes and types, and the level of the record."""

import dataclasses
import numbers
from collections.abc import Iterable
from collections.abc import Mapping

import numpy as np
from absl import flags

from yt8m.core import byte_ranges
from yt8m.core import fields
from yt8m.core import numerics
from yt8m.core import registry
from yt8m.core.types import Config

VIDEO, FRAME, SEGMENT = LEVELS = ("video", "frame", "segment")

# The frames of YouTube-8M are one second apart, and its segments are five frames long.
SEGMENT_FRAMES = 5

# Types of the values of a feature. uint8: YouTube-8M's 8-bit numbers, which the model
# dequantises; floats reach the model as they are.
UINT8, FLOAT16, FLOAT32 = DTYPES = ("uint8", "float16", "float32")

# Number of values of a feature, or that and their type: `(512, "float16")`.
Size = int | tuple[int, str]

# The flag that is defined here belongs to the command that calls the function.
flags.disclaim_key_flags()


def define_record_flags() -> None:
  """Defines `--feature_dtypes` and `--reader`, for the command that calls this."""
  flags.DEFINE_string(
      "feature_dtypes", None, "Types of the values of the features, in the same order: "
      f"{', '.join(DTYPES)}. Default: uint8 (YouTube-8M's 8-bit frames), at video level "
      "float32.")
  flags.DEFINE_string(
      "reader", None, "Reader of your own, my_module:MyReader, of records with other "
      "keys than YouTube-8M's: a subclass of yt8m.data.own_reader.OwnReader.")


@dataclasses.dataclass(frozen=True, init=False)
class FeatureSpec:
  """Names, sizes and types of the modalities, in the order of their concatenation.

  >>> from yt8m.core import feature_spec
  >>> feature_spec.FeatureSpec.from_flags("rgb, audio", "1024, 128", frame_features=True)
  FeatureSpec(names=('rgb', 'audio'), sizes=(1024, 128), level='frame', \
dtypes=('uint8', 'uint8'))

  Attributes:
    names: Feature keys of the records, e.g. `("rgb", "audio")`.
    sizes: Number of values of each feature, e.g. `(1024, 128)`.
    level: `"video"` (one float vector a video), `"frame"` (one vector a frame) or
      `"segment"` (frame-level records with rated segments).
    dtypes: Type of the values of each feature, one of `DTYPES`. Default: those of
      YouTube-8M, `"float32"` at video level and `"uint8"` for frames.
    reader: Name of a class of the user's own that reads the records, e.g.
      `"my_module:MyReader"`; None for the readers of this library.
    extractor: Name and digest of the extractor that made the features, e.g.
      `"efficientnet-lite0@3f21…"`; None if it is not known.
    ranges: Values that the bytes 0 and 255 of features stand for, by name, where they are
      not those of YouTube-8M.

  Raises:
    ValueError: There are no names, there is not one size and one type for each name, a
      name appears twice, a size is not positive, a type or the level is unknown, or a
      range is empty or not one of a feature of bytes.
  """
  names: tuple[str, ...]
  sizes: tuple[int, ...]
  level: str
  dtypes: tuple[str, ...]
  reader: str | None = dataclasses.field(default=None, repr=False)
  extractor: str | None = dataclasses.field(default=None, repr=False)
  ranges: Mapping[str, numerics.Range] = dataclasses.field(
      default_factory=dict, repr=False, hash=False)

  def __init__(self, names: Iterable[str], sizes: Iterable[int], level: str,
               dtypes: Iterable[str] | None = None, reader: str | None = None,
               extractor: str | None = None,
               ranges: Mapping[str, numerics.Range] | None = None):
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
    dtypes = _checked_dtypes(names, dtypes, level)
    ranges = byte_ranges.checked(ranges or {}, [
        name for name, dtype in zip(names, dtypes, strict=True) if dtype == UINT8])
    for field, value in (
        ("names", names), ("sizes", sizes), ("level", level), ("dtypes", dtypes),
        ("reader", reader), ("extractor", extractor), ("ranges", ranges)):
      object.__setattr__(self, field, value)

  @classmethod
  def from_flags(cls, feature_names: str, feature_sizes: str,
                 frame_features: bool = False, segment_labels: bool = False,
                 feature_dtypes: str | None = None, reader: str | None = None,
                 extractor: str | None = None) -> "FeatureSpec":
    """Returns the spec that the comma-separated flags of the starter code describe."""
    names = _entries(feature_names)
    try:
      sizes = [int(size) for size in feature_sizes.split(",") if size.strip()]
    except ValueError as error:
      raise ValueError(
          f"--feature_sizes={feature_sizes!r} must be whole numbers separated by "
          "commas, e.g. 1024,128.") from error
    level = SEGMENT if segment_labels else FRAME if frame_features else VIDEO
    return cls(names, sizes, level,
               _entries(feature_dtypes) if feature_dtypes else None, reader, extractor)

  @classmethod
  def of(cls, features: Mapping[str, Size], level: str) -> "FeatureSpec":
    """Returns the spec of features by name, as the functions of Python take them.

    >>> from yt8m.core import feature_spec
    >>> feature_spec.FeatureSpec.of({"clip": (512, "float16"), "rgb": 1024}, "frame")
    FeatureSpec(names=('clip', 'rgb'), sizes=(512, 1024), level='frame', \
dtypes=('float16', 'uint8'))

    Args:
      features: Size of each feature, or its size and type.
      level: One of `LEVELS`.

    Raises:
      ValueError: A size is no whole number, or as the class.
    """
    if not isinstance(features, Mapping):
      raise ValueError("Features are a dictionary of sizes, such as {'rgb': 1024, "
                       f"'audio': 128}}, not {features!r}.")
    pairs = {name: size if isinstance(size, (tuple, list)) else (size, None)
             for name, size in features.items()}
    for name, pair in pairs.items():
      if len(pair) != 2 or not isinstance(pair[0], numbers.Integral):
        raise ValueError(f"The feature {name!r} is {features[name]!r}, but must be its "
                         "size, such as 1024, or its size and type, (512, 'float16').")
    defaults = _default_dtypes(tuple(pairs), level)
    return cls(pairs, [size for size, _ in pairs.values()], level, [
        dtype or default
        for (_, dtype), default in zip(pairs.values(), defaults, strict=True)])

  @property
  def is_video_level(self) -> bool:
    return self.level == VIDEO

  @property
  def has_segments(self) -> bool:
    return self.level == SEGMENT

  @property
  def total_size(self) -> int:
    """Size of the concatenated vector."""
    return sum(self.sizes)

  @property
  def frame_bytes(self) -> int:
    """Number of bytes of the values of all features of one frame, or of one video."""
    return sum(size * np.dtype(dtype).itemsize
               for size, dtype in zip(self.sizes, self.dtypes, strict=True))

  @property
  def has_default_dtypes(self) -> bool:
    """Whether the types are those of YouTube-8M."""
    return self.dtypes == _default_dtypes(self.names, self.level)

  def with_segment_labels(self, segment_labels: bool | None) -> "FeatureSpec":
    """Returns the spec of records with rated segments, or without.

    Args:
      segment_labels: Whether the records have rated segments. None: as in this spec.

    Raises:
      ValueError: Video-level features have no segments.
    """
    if self.is_video_level and segment_labels:
      raise ValueError("--segment_labels needs a model of frame-level features, but this "
                       "one was trained on video-level features: leave it out.")
    if segment_labels and self.reader:
      raise ValueError("--segment_labels cannot be read by --reader="
                       f"{self.reader}: leave it out, or train without --reader.")
    if self.is_video_level or segment_labels is None:
      return self
    return dataclasses.replace(self, level=SEGMENT if segment_labels else FRAME)

  def of_names(self, names: Iterable[str]) -> "FeatureSpec":
    """Returns the spec of some of the features, in another order if need be."""
    names = tuple(names)
    index = [self.names.index(name) for name in names]
    return dataclasses.replace(
        self, names=names, sizes=[self.sizes[i] for i in index],
        dtypes=[self.dtypes[i] for i in index],
        ranges={name: self.ranges[name] for name in names if name in self.ranges})

  def to_config(self) -> Config:
    """Returns the arguments in plain types; default types are left out, as they were
    before there were others."""
    config = {"names": list(self.names), "sizes": list(self.sizes), "level": self.level}
    if not self.has_default_dtypes:
      config["dtypes"] = list(self.dtypes)
    return {**config, **{name: value for name, value in (
        ("reader", self.reader), ("extractor", self.extractor),
        ("ranges", {name: list(bounds) for name, bounds in self.ranges.items()}))
        if value}}

  @classmethod
  def from_config(cls, config: Config) -> "FeatureSpec":
    """Reads what `to_config` returns.

    Raises:
      ValueError: An entry is missing or has another type, or as the class.
    """
    fields.check(config, {
        "names": fields.list_of(fields.NAME, "texts"),
        "sizes": fields.list_of(fields.COUNT, "whole numbers from 1 on"),
        "level": fields.one_of(LEVELS)},
        {"dtypes": fields.list_of(fields.one_of(DTYPES), "types of features"),
         "reader": fields.NAME, "extractor": fields.NAME,
         "ranges": byte_ranges.KIND})
    return cls(config["names"], config["sizes"], config["level"], config.get("dtypes"),
               config.get("reader"), config.get("extractor"), config.get("ranges"))

  def check_extractor(self, other: "FeatureSpec", records: str) -> None:
    """Refuses records of a model, which this spec describes, from another extractor.

    Args:
      other: Spec of the records.
      records: Name of the records, for the error.

    Raises:
      ValueError: Both extractors are known, and they or the types or ranges differ.
    """
    if not (self.extractor and other.extractor):
      return
    if self.extractor != other.extractor:
      raise ValueError(
          f"The features of {records} were made by the extractor {other.extractor}, and "
          f"the model was trained on those of {self.extractor}: extract the videos again "
          "with that one (yt8m-extract --extractor), or train a model on these.")
    for name in set(self.names) & set(other.names):
      ours, theirs = self._stored(name), other._stored(name)
      if ours != theirs:
        way = ("with yt8m-extract --ranges_from, which names the records that it was "
               "trained on" if name in self.ranges else "without --quantize")
        raise ValueError(
            f"The feature {name} of {records} is stored as {theirs}, and the model was "
            f"trained on {ours}: extract the videos again {way}, or train a model on "
            "these.")

  def _stored(self, name: str) -> str:
    """Returns how a feature is stored, in words."""
    dtype = self.dtypes[self.names.index(name)]
    if dtype != UINT8:
      return dtype
    low, high = self.ranges.get(name, numerics.YOUTUBE_8M)
    return f"bytes for {low:g} to {high:g}"


def _entries(flag: str) -> list[str]:
  return [entry.strip() for entry in flag.split(",") if entry.strip()]


def _default_dtypes(names: tuple[str, ...], level: str) -> tuple[str, ...]:
  return (FLOAT32 if level == VIDEO else UINT8,) * len(names)


def _checked_dtypes(names: tuple[str, ...], dtypes: Iterable[str] | None, level: str
                    ) -> tuple[str, ...]:
  if dtypes is None:
    return _default_dtypes(names, level)
  dtypes = tuple(dtypes)
  if len(names) != len(dtypes):
    raise ValueError(
        f"--feature_names has {len(names)} entries {list(names)} but --feature_dtypes "
        f"has {len(dtypes)} {list(dtypes)}: give one type for each name.")
  for name, dtype in zip(names, dtypes, strict=True):
    if dtype not in DTYPES:
      raise ValueError(f"--feature_dtypes gives {name} the type {dtype!r}, but must be "
                       f"one of {', '.join(DTYPES)}.")
    if level == VIDEO and dtype == UINT8:
      raise ValueError(
          f"--feature_dtypes gives {name} the type uint8, in which only frames are "
          "stored: give float32 or float16, or add --frame_features.")
  return dtypes
