# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What an extractor is, and the registry of extractors."""

import hashlib
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import numpy as np

from yt8m.core import feature_spec
from yt8m.core import numerics
from yt8m.core import registry

RGB, AUDIO = MODALITIES = ("rgb", "audio")
# Samples of sound a second that every extractor takes.
SAMPLE_RATE = 16000


class Extractor:
  """Turns the frames and the sound of a video into one vector each a second.

  A subclass sets the class attributes and implements the method of each of its
  modalities. It is registered by name, or named as `my_package.my_module:MyExtractor`.

  Attributes:
    name: Name under which the features are known.
    modalities: Those of `MODALITIES` that it turns into features. The features have the
      same names, as those of YouTube-8M have.
    sizes: Number of values of a vector, by modality.
    dtypes: Type in which the values are stored, by modality; one of
      `feature_spec.DTYPES`. uint8 stands for YouTube-8M's 8 bits.
    frame_size: Height and width of the frames that `extract_frames` takes without
      scaling them; `read_frames(size=…)` scales well and fast. None for any size.
    version: Number that grows with each change of the code that changes the features.
    ranges: Values that the bytes 0 and 255 stand for, by modality, after `quantize`.
  """
  name: str = ""
  modalities: tuple[str, ...] = ()
  sizes: dict[str, int] = {}
  dtypes: dict[str, str] = {}
  frame_size: tuple[int, int] | None = None
  version: ClassVar[int] = 1
  ranges: Mapping[str, numerics.Range] = {}

  def __init__(self, weights_dir: str = ""):
    """Loads what the extractor needs.

    Args:
      weights_dir: Path of the directory with its files of weights, if it has any.
    """
    del weights_dir

  def extract_frames(self, rgb: np.ndarray) -> np.ndarray:
    """Returns the features of frames.

    Args:
      rgb: (n, height, width, 3) uint8.

    Returns:
      (n, size) float32.
    """
    raise NotImplementedError(f"The extractor {self.name} takes no frames.")

  def extract_audio(self, waveform: np.ndarray, fps: float = 1.0) -> np.ndarray:
    """Returns the features of sound.

    Row k describes the sound from k / fps seconds on. The last row may have less sound
    than the others, and there is a row for each interval that has begun.

    Args:
      waveform: (samples,) float32 in [-1, 1], `SAMPLE_RATE` of them a second.
      fps: Number of rows a second.

    Returns:
      (rows, size) float32.
    """
    raise NotImplementedError(f"The extractor {self.name} takes no sound.")

  def quantize(self, ranges: Mapping[str, numerics.Range]) -> None:
    """Stores features in 8 bits from now on, of the range [low, high] of each modality.

    Modalities without a range are stored as their type in `dtypes` says.
    """
    self.ranges = dict(ranges)

  def encode(self, modality: str, features: np.ndarray) -> np.ndarray:
    """Returns features, (n, size) float32, in the type in which they are stored."""
    dtype = self.dtypes[modality]
    if modality in self.ranges or dtype == feature_spec.UINT8:
      return numerics.quantize(features, self.ranges.get(modality, numerics.YOUTUBE_8M))
    largest = np.finfo(dtype).max
    return np.clip(features, -largest, largest).astype(dtype)

  def digests(self) -> Sequence[str]:
    """Returns the SHA-256 of each file of weights."""
    return ()

  @property
  def config(self) -> dict[str, Any]:
    """What features depend on besides the files of weights, as JSON."""
    return {"name": self.name, "version": self.version}

  @property
  def digest(self) -> str:
    """SHA-256 of the name, the version and the weights: tells features apart."""
    return hashlib.sha256(
        "\n".join([*(f"{key}={value}" for key, value in sorted(self.config.items())),
                   *self.digests()]).encode()).hexdigest()

  def spec(self, fps: float = 1.0) -> feature_spec.FeatureSpec:
    """Returns the spec of the records.

    Args:
      fps: Number of rows a second.
    """
    return feature_spec.FeatureSpec(
        self.modalities, [self.sizes[modality] for modality in self.modalities],
        feature_spec.FRAME,
        [feature_spec.UINT8 if modality in self.ranges else self.dtypes[modality]
         for modality in self.modalities],
        extractor=self.identity(fps), ranges=self.ranges)

  def identity(self, fps: float = 1.0) -> str:
    """Returns what records, models and SavedModels keep: name, digest and rate.

    >>> from yt8m.extractors import base
    >>> base.parse_identity("efficientnet-lite0@3f2194bb at 2 fps")
    ('efficientnet-lite0', 2.0)

    Args:
      fps: Number of rows a second; 1 is left out.
    """
    rate = "" if fps == 1 else f" at {fps:g} fps"
    return f"{self.name}@{self.digest[:16]}{rate}"

  def __str__(self) -> str:
    return self.identity()


class Combined(Extractor):
  """Several extractors as one, each for its own modalities.

  Args:
    parts: The extractors. A modality belongs to one of them.

  Raises:
    ValueError: Two of them have the same modality.
  """

  def __init__(self, parts: Iterable[Extractor]):
    super().__init__()
    self.parts = tuple(parts)
    self._by_modality = {}
    for part in self.parts:
      for modality in part.modalities:
        if modality in self._by_modality:
          raise ValueError(
              f"--extractor names {self._by_modality[modality].name} and {part.name}, "
              f"which both make the feature {modality!r}: name one of them.")
        self._by_modality[modality] = part
    self.name = ",".join(part.name for part in self.parts)
    self.modalities = tuple(m for m in MODALITIES if m in self._by_modality)
    self.sizes = {m: self._by_modality[m].sizes[m] for m in self.modalities}
    self.dtypes = {m: self._by_modality[m].dtypes[m] for m in self.modalities}
    if RGB in self._by_modality:
      self.frame_size = self._by_modality[RGB].frame_size

  def _part(self, modality: str) -> Extractor:
    return self._by_modality.get(modality, super())  # which says that it takes none

  def extract_frames(self, rgb: np.ndarray) -> np.ndarray:
    return self._part(RGB).extract_frames(rgb)

  def extract_audio(self, waveform: np.ndarray, fps: float = 1.0) -> np.ndarray:
    return self._part(AUDIO).extract_audio(waveform, fps)

  def encode(self, modality: str, features: np.ndarray) -> np.ndarray:
    return (super() if modality in self.ranges else self._by_modality[modality]).encode(
        modality, features)

  def digests(self) -> Sequence[str]:
    return [part.digest for part in self.parts]

  @property
  def config(self) -> dict[str, Any]:
    return {"name": self.name, "parts": [part.config for part in self.parts]}


def parse_identity(identity: str) -> tuple[str, float]:
  """Returns the name of the extractor and the rows a second of `Extractor.identity`.

  Raises:
    ValueError: It is none.
  """
  match = re.fullmatch(r"(.+)@[0-9a-f]+(?: at ([0-9.]+) fps)?", identity)
  if not match:
    raise ValueError(f"{identity!r} is no name of an extractor with its digest.")
  return match[1], float(match[2] or 1)


def num_rows(num_samples: int, fps: float) -> int:
  """Returns the number of intervals that have begun within a waveform."""
  return -int(-num_samples * fps // SAMPLE_RATE)


EXTRACTORS = registry.Registry("extractor", Extractor)
