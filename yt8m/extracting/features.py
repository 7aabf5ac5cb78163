# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The features of one video: a row of each modality for every frame."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from yt8m.core import fields
from yt8m.extracting import decoder
from yt8m.extractors import base

FAIL, ZEROS = MISSING = ("fail", "zeros")


@dataclasses.dataclass(frozen=True)
class Sampling:
  """What is taken of a file.

  Attributes:
    fps: Number of frames a second.
    max_frames: Largest number of frames.
    missing: What becomes of a file that lacks pictures or sound; one of `MISSING`.
    keep_damaged: Whether what can be decoded of a damaged file is used.
  """
  fps: float = 1.0
  max_frames: int = 300
  missing: str = FAIL
  keep_damaged: bool = False

  def request(self, extractor: base.Extractor, path: str, start: float = 0.0,
              end: float | None = None) -> decoder.Request:
    """Returns what an extractor needs of a file.

    Args:
      extractor: The extractor.
      path: Path of the file.
      start: Seconds of the file to leave out.
      end: Seconds to the end of the clip; None for the whole file.
    """
    return decoder.Request(
        path, self.fps, self.max_frames, start, end, extractor.frame_size,
        pictures=base.RGB in extractor.modalities,
        sound=base.AUDIO in extractor.modalities,
        optional=self.missing == ZEROS, sample_rate=base.SAMPLE_RATE)


def extract(extractor: base.Extractor, stream: Iterator[tuple[str, Any]],
            sampling: Sampling) -> dict[str, np.ndarray]:
  """Returns the features of a video, (num_frames, size) each, as they are stored.

  There are as many rows as frames, or without frames as the sound has. Sound that ends
  earlier, and a modality that may be missing, are filled with zeros.

  Args:
    extractor: The extractor.
    stream: What a `decoder.Decoder` yields.
    sampling: What is taken of the file.

  Raises:
    DecodingFailed: The file gives no features, is damaged, or is refused by the
      extractor.
    ValueError: The extractor gives features of another size than it says.
  """
  rows, faults, refused = {}, [], ""
  for kind, value in stream:
    if kind == decoder.END:
      faults = value
    elif not refused:  # Otherwise the rest must be read all the same.
      modality = base.RGB if kind == decoder.FRAMES else base.AUDIO
      try:
        features = (extractor.extract_frames(value) if modality == base.RGB
                    else extractor.extract_audio(value, sampling.fps))
      except ValueError as error:
        refused = fields.reason(error)
        continue
      _check(features, extractor, modality, len(value))
      rows.setdefault(modality, []).append(features)
  if refused:
    raise decoder.DecodingFailed(refused)
  if faults and not sampling.keep_damaged:
    raise decoder.DecodingFailed(f"it is damaged: {'; '.join(faults)}")
  found = {modality: np.concatenate(parts) for modality, parts in rows.items()}
  leading = found.get(base.RGB, found.get(base.AUDIO))
  if leading is None or not len(leading):
    raise decoder.DecodingFailed("it has neither pictures nor sound")
  for modality, values in found.items():
    if not np.isfinite(values).all():
      raise decoder.DecodingFailed(f"its {modality} features are not all numbers")
  return {modality: extractor.encode(modality, _rows(
      found.get(modality), len(leading), extractor.sizes[modality]))
          for modality in extractor.modalities}


def _check(features: np.ndarray, extractor: base.Extractor, modality: str, count: int
           ) -> None:
  """Refuses features that have not the shape that their extractor announces."""
  rows = count if modality == base.RGB else "any number"
  shape, size = np.shape(features), extractor.sizes[modality]
  if len(shape) != 2 or shape[1] != size or (modality == base.RGB and shape[0] != rows):
    raise ValueError(
        f"The extractor {extractor.name} gives {modality} features of the shape {shape}, "
        f"but must give ({rows}, {size}): correct its sizes, or what it returns.")


def _rows(values: np.ndarray | None, count: int, size: int) -> np.ndarray:
  filled = np.zeros((count, size), np.float32)
  if values is not None:
    filled[:len(values)] = values[:count]
  return filled
