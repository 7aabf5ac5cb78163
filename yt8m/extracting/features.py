# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The features of one video: a row of each modality for every frame."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

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
    DecodingFailed: The file gives no features, or is damaged.
  """
  rows, faults = {}, []
  for kind, value in stream:
    if kind == decoder.FRAMES:
      rows.setdefault(base.RGB, []).append(extractor.extract_frames(value))
    elif kind == decoder.SOUND:
      rows[base.AUDIO] = [extractor.extract_audio(value, sampling.fps)]
    else:
      faults = value
      break
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


def _rows(values: np.ndarray | None, count: int, size: int) -> np.ndarray:
  filled = np.zeros((count, size), np.float32)
  if values is not None:
    filled[:len(values)] = values[:count]
  return filled
