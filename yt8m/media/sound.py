# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The sound of a media file as one channel of samples."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from yt8m.media import opening

if TYPE_CHECKING:
  from yt8m.core.types import PathLike

# Seconds without sound between two packets that become silence. Shorter gaps are wrong
# times of the file.
_GAP = 0.1
# Seconds from the start that are decoded, not skipped, as this is as fast.
_DECODED = 2.0


def read_waveform(path: "PathLike", rate: int = 16000, start: float = 0.0,
                  end: float | None = None, max_secs: float = 300.0,
                  faults: list[str] | None = None) -> np.ndarray:
  """Reads the sound of a file: the mean of its channels, resampled.

  Times count from the first frame of the file, or without video from the first sample.
  Sound that begins later, or has gaps, is filled with silence.

  Args:
    path: Path of a local file.
    rate: Number of samples a second.
    start: Seconds of the sound to leave out.
    end: Seconds from its start to the end; None for all of it.
    max_secs: Largest number of seconds.
    faults: List to which texts are added that say what is wrong with a damaged or
      truncated file. What can be decoded of it is returned.

  Returns:
    (samples,) float32 in [-1, 1].

  Raises:
    MediaError: The file has no sound, or none in the range, or cannot be read.
    ValueError: An argument is out of range, or PyAV is not installed.
  """
  if rate < 1 or max_secs <= 0 or start < 0 or (end is not None and end <= start):
    raise ValueError(
        f"Cannot read sound with rate={rate}, max_secs={max_secs}, start={start}, "
        f"end={end}: all must be positive, and end later than start.")
  secs = max_secs if end is None else min(max_secs, end - start)
  limit, found = max(1, round(secs * rate)), []
  try:
    blocks = _read(path, rate, start, limit, start > _DECODED, found)
  except opening.SeekError:
    found.clear()
    blocks = _read(path, rate, start, limit, False, found)
  if faults is not None:
    faults += found
  if not blocks:
    reason = "; ".join(found) or f"there is none from {start:g} s on"
    raise opening.MediaError(f"{path} gives no sound: {reason}.")
  # A codec may exceed the range.
  return np.clip(np.nan_to_num(np.concatenate(blocks)), -1.0, 1.0)


def _read(path: "PathLike", rate: int, start: float, limit: int, seek: bool,
          faults: list[str]) -> list[np.ndarray]:
  """Returns the samples in parts, at most `limit` of them."""
  blocks, length = [], 0
  with opening.open_media(path) as container:
    stream = opening.audio_stream(container, path)
    if seek:
      opening.seek(container, start)
    for at, samples in _blocks(container, stream, rate, start, faults):
      if seek and at > _GAP * rate:
        raise opening.SeekError
      seek = False
      if at > length:
        blocks.append(np.zeros(min(at, limit) - length, np.float32))
        length = min(at, limit)
      samples = samples[max(0, length - at):][:limit - length]
      if len(samples):
        blocks.append(samples)
        length += len(samples)
      if length >= limit:
        break
  if seek:
    raise opening.SeekError
  return blocks


def _blocks(container: Any, stream: Any, rate: int, start: float, faults: list[str]
            ) -> Iterator[tuple[int, np.ndarray]]:
  """Yields samples of one channel, and the number of the first one."""
  av, origin = opening.load_av(), opening.origin(container)
  resampler = kind = None
  at, until = 0, 0.0
  for frame in opening.decoded(container, stream, faults):
    begin = until if frame.time is None else frame.time - origin - start
    now = frame.sample_rate, frame.layout.name, frame.format.name
    if resampler is None or kind != now or begin > until + _GAP:
      if resampler is not None:
        yield from _numbered(at, resampler.resample(None))
      resampler = av.AudioResampler(format="fltp", layout=frame.layout, rate=rate)
      kind, at = now, round(begin * rate)
      until = begin
    frame.pts = None  # The resampler would fill small gaps, too.
    for number, samples in _numbered(at, resampler.resample(frame)):
      yield number, samples
      at = number + len(samples)
    until += frame.samples / frame.sample_rate
  if resampler is not None:
    yield from _numbered(at, resampler.resample(None))
  opening.add_fault_of_length(
      stream, until + start + origin - float(
          (stream.start_time or 0) * (stream.time_base or 0)), faults)


def _numbered(at: int, frames: list[Any]) -> Iterator[tuple[int, np.ndarray]]:
  for frame in frames:
    # FFmpeg's own mix of floats to one channel is louder than its channels.
    samples = frame.to_ndarray().mean(0)
    yield at, samples
    at += len(samples)
